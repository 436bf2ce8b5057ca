import { copyBytes } from '../../net/copy-bytes.ts'
import { addressRecord } from '../address-record.ts'
import { socketAddressOffsets, startSocketAddress } from './socket-address-bytes.ts'
import { families, ipOptions, ipv6Options, levels } from './socket-constants.ts'

/** Control data that tells, and chooses, the local address of a datagram: one struct cmsghdr with
 *
 *      in_pktinfo, 12 bytes, linux/in.h:    [interface:4][source to answer from:4][destination:4]
 *      in6_pktinfo, 20 bytes, linux/ipv6.h: [destination:16][interface:4]
 *
 *  after [length:8][level:4][type:4]. Room is rounded up to 8 bytes. */
const dataOffset = 16

const { port: portAt, address4, address6, scope: scopeAt } = socketAddressOffsets
const room4 = 32
const room6 = 40

/** Makes received control data fit for the answer: from the address that was asked, through whatever interface
 *  routing says; only link-local addresses keep theirs. */
export function answerThroughRouting(memory: Uint8Array, at: number, length: number): void {
  if (length === room4) memory.fill(0, at + dataOffset, at + dataOffset + 4)
  else if (length === room6 && !isLinkLocal(memory, at + dataOffset)) {
    memory.fill(0, at + dataOffset + 16, at + dataOffset + 20)
  }
}

/** Copies the local address of received control data into an address record. */
export function readPacketInfo(
  memory: Uint8Array,
  at: number,
  length: number,
  record: Uint8Array,
  recordAt: number,
): void {
  const data = at + dataOffset
  const local = recordAt + addressRecord.local
  if (length === room4) copyBytes(memory, data + 4, record, local, 4)
  else if (length === room6) {
    copyBytes(memory, data, record, local, 16)
    if (!isLinkLocal(memory, data)) return
    copyBytes(memory, data + 16, record, recordAt + addressRecord.interface, 4)
  }
}

/** Writes control data that sends from the local address of a record; its length, 0 when the record leaves the
 *  address to the kernel. */
export function writePacketInfo(
  record: Uint8Array,
  recordAt: number,
  memory: Uint8Array,
  at: number,
): number {
  const local = recordAt + addressRecord.local
  const isIpv4 = record[recordAt] === 4
  const size = isIpv4 ? 4 : 16
  let any = 0
  for (let index = 0; index < size; index++) any |= record[local + index] ?? 0
  if (any === 0) return 0
  const length = isIpv4 ? room4 : room6
  memory.fill(0, at, at + length)
  memory[at] = isIpv4 ? dataOffset + 12 : dataOffset + 20
  memory[at + 8] = isIpv4 ? levels.IPPROTO_IP : levels.IPPROTO_IPV6
  memory[at + 12] = isIpv4 ? ipOptions.IP_PKTINFO : ipv6Options.IPV6_PKTINFO
  const data = at + dataOffset
  copyBytes(record, local, memory, isIpv4 ? data + 4 : data, size)
  if (!isIpv4) {
    const from = recordAt + addressRecord.interface
    copyBytes(record, from, memory, data + 16, 4)
  }
  return length
}

/** Copies the kernel's form of a peer's address into a record that was zeroed. */
export function readPeerName(
  memory: Uint8Array,
  at: number,
  record: Uint8Array,
  recordAt: number,
): void {
  const isIpv4 = memory[at] === families.AF_INET
  record[recordAt] = isIpv4 ? 4 : 6
  copyBytes(memory, at + portAt, record, recordAt + addressRecord.port, 2)
  const peer = recordAt + addressRecord.peer
  if (isIpv4) copyBytes(memory, at + address4, record, peer, 4)
  else {
    copyBytes(memory, at + address6, record, peer, 16)
    copyBytes(memory, at + scopeAt, record, recordAt + addressRecord.scope, 4)
  }
}

/** Writes the peer of a record in the kernel's form; its length. */
export function writePeerName(
  record: Uint8Array,
  recordAt: number,
  memory: Uint8Array,
  at: number,
): number {
  const isIpv4 = record[recordAt] === 4
  const length = startSocketAddress(memory, at, isIpv4)
  const port = recordAt + addressRecord.port
  copyBytes(record, port, memory, at + portAt, 2)
  const peer = recordAt + addressRecord.peer
  if (isIpv4) copyBytes(record, peer, memory, at + address4, 4)
  else {
    copyBytes(record, peer, memory, at + address6, 16)
    const scope = recordAt + addressRecord.scope
    copyBytes(record, scope, memory, at + scopeAt, 4)
  }
  return length
}

/** fe80::/10 */
function isLinkLocal(memory: Uint8Array, at: number): boolean {
  return memory[at] === 0xfe && ((memory[at + 1] ?? 0) & 0xc0) === 0x80
}
