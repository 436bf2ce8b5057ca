import { readAddress, writeAddress } from '../../net/address.ts'
import { type SocketAddress, socketFamily } from '../socket-address.ts'
import { families } from './socket-constants.ts'
import { systemCalls } from './system-calls.ts'

/** Room for either form. */
export const socketAddressRoom = 28

/** struct sockaddr_in is 16 bytes: [family:2 host][port:2 BE][address:4][zero:8]; struct sockaddr_in6 28:
 *  [family:2 host][port:2 BE][flow:4][address:16][scope:4 host]. */
export const socketAddressOffsets = { port: 2, address4: 4, address6: 8, scope: 24 } as const

/** Writes zeros and the family; returns the length of the form. */
export function startSocketAddress(target: Uint8Array, at: number, isIpv4: boolean): 16 | 28 {
  const length = isIpv4 ? 16 : 28
  target.fill(0, at, at + length)
  target[at] = isIpv4 ? families.AF_INET : families.AF_INET6
  return length
}

/** Writes a socket address in the kernel's form; returns its length. A link-local one may have its interface:
 *  `fe80::1%eth0`, `fe80::1%2`; one that is not there becomes 0, which the kernel refuses. */
export function encodeSocketAddress(address: SocketAddress, target: Uint8Array, at = 0): 16 | 28 {
  const isIpv4 = socketFamily(address) === 4
  const length = startSocketAddress(target, at, isIpv4)
  target[at + socketAddressOffsets.port] = address.port >> 8
  target[at + socketAddressOffsets.port + 1] = address.port & 0xff
  const { address4, address6, scope } = socketAddressOffsets
  const [text = '', link] = address.address.split('%')
  writeAddress(target, at + (isIpv4 ? address4 : address6), text)
  if (link !== undefined && !isIpv4) writeHost32(target, at + scope, interfaceIndex(link))
  return length
}

function interfaceIndex(link: string): number {
  return /^[0-9]+$/.test(link) ? Number(link) : systemCalls().interfaceIndex(link)
}

function writeHost32(target: Uint8Array, at: number, value: number): void {
  target.set(new Uint8Array(Uint32Array.of(value).buffer), at)
}

/** Reads a socket address of the kernel. IPv4-mapped addresses do not occur: our IPv6 sockets are IPv6 only. */
export function decodeSocketAddress(source: Uint8Array, at = 0): SocketAddress {
  const isIpv4 = source[at] === families.AF_INET
  const high = source[at + socketAddressOffsets.port] ?? 0
  const { address4, address6 } = socketAddressOffsets
  return {
    address: readAddress(source, at + (isIpv4 ? address4 : address6), isIpv4 ? 4 : 6),
    port: (high << 8) | (source[at + socketAddressOffsets.port + 1] ?? 0),
  }
}

const room = new Uint8Array(socketAddressRoom)
const roomLength = new Uint8Array(4)

/** The local or the remote address of a socket; undefined when it has none (any more). */
export function addressOfSocket(fd: number, side: 'local' | 'peer'): SocketAddress | undefined {
  const calls = systemCalls()
  roomLength[0] = socketAddressRoom
  const ask = side === 'local' ? calls.getsockname : calls.getpeername
  return ask(fd, room, roomLength) < 0 ? undefined : decodeSocketAddress(room)
}
