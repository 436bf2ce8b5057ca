import { readAddress, writeAddress } from '../net/address.ts'
import { type SocketAddress, socketFamily } from './socket-address.ts'

/** Bytes of an address record: who sent a datagram, and to which of our addresses.
 *
 *      [family:1, 4 or 6][zero:1][peer port:2 BE][peer:16][peer scope:4 host][local:16][interface:4 host]
 *
 *  Addresses of IPv4 take the first 4 of their 16 bytes. A local address of zeros is left to the kernel.
 *  Equal flows have equal records, so that the bytes can be a key. */
export const addressRecordBytes = 44

/** Offsets within an address record. */
export const addressRecord = {
  family: 0,
  port: 2,
  peer: 4,
  scope: 20,
  local: 24,
  interface: 40,
} as const

/** Makes a record for sending to `peer`, from the address that the kernel chooses. */
export function writeAddressRecord(target: Uint8Array, offset: number, peer: SocketAddress): void {
  target.fill(0, offset, offset + addressRecordBytes)
  target[offset] = socketFamily(peer)
  target[offset + addressRecord.port] = peer.port >> 8
  target[offset + addressRecord.port + 1] = peer.port & 0xff
  writeAddress(target, offset + addressRecord.peer, peer.address)
}

/** The peer of a record. */
export function readPeerAddress(record: Uint8Array, offset: number): SocketAddress {
  const address = readAddress(record, offset + addressRecord.peer, record[offset] === 6 ? 6 : 4)
  const high = record[offset + addressRecord.port] ?? 0
  return { address, port: (high << 8) | (record[offset + addressRecord.port + 1] ?? 0) }
}
