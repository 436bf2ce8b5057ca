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
  if (length === room4) record.set(memory.subarray(data + 4, data + 8), local)
  else if (length === room6) {
    record.set(memory.subarray(data, data + 16), local)
    if (!isLinkLocal(memory, data)) return
    record.set(memory.subarray(data + 16, data + 20), recordAt + addressRecord.interface)
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
  memory.set(record.subarray(local, local + size), isIpv4 ? data + 4 : data)
  if (!isIpv4) {
    const from = recordAt + addressRecord.interface
    memory.set(record.subarray(from, from + 4), data + 16)
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
  record.set(memory.subarray(at + portAt, at + portAt + 2), recordAt + addressRecord.port)
  const peer = recordAt + addressRecord.peer
  if (isIpv4) record.set(memory.subarray(at + address4, at + address4 + 4), peer)
  else {
    record.set(memory.subarray(at + address6, at + address6 + 16), peer)
    const scope = memory.subarray(at + scopeAt, at + scopeAt + 4)
    record.set(scope, recordAt + addressRecord.scope)
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
  memory.set(record.subarray(port, port + 2), at + portAt)
  const peer = recordAt + addressRecord.peer
  if (isIpv4) memory.set(record.subarray(peer, peer + 4), at + address4)
  else {
    memory.set(record.subarray(peer, peer + 16), at + address6)
    const scope = recordAt + addressRecord.scope
    memory.set(record.subarray(scope, scope + 4), at + scopeAt)
  }
  return length
}

/** fe80::/10 */
function isLinkLocal(memory: Uint8Array, at: number): boolean {
  return memory[at] === 0xfe && ((memory[at + 1] ?? 0) & 0xc0) === 0x80
}
