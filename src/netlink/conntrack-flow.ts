import type { ByteString } from '../net/byte-string.ts'
import { DecodeError } from '../net/decode-error.ts'
import type { Attributes } from './attribute-kinds.ts'
import type { AttributeReader } from './attribute-reader.ts'

/** One direction of a flow. Addresses are 4 or 16 bytes in network order; ports are 0 for protocols without. */
export interface ConntrackTuple {
  readonly source: ByteString
  readonly destination: ByteString
  readonly protocol: number
  readonly sourcePort: number
  readonly destinationPort: number
}

/** One entry of the connection tracking table. */
export interface ConntrackFlow {
  readonly family: 4 | 6
  /** As the first packet was sent. */
  readonly original: ConntrackTuple
  /** As an answer is expected: its source is where the flow really went. */
  readonly reply: ConntrackTuple
  /** IPS_* bits; see `flowStatus`. */
  readonly status: number
  readonly mark: number
  readonly zone: number
  readonly id: number
  /** Seconds that the entry lives without a packet. */
  readonly timeoutSeconds: number
  /** enum tcp_conntrack (3 established); undefined for other protocols. */
  readonly tcpState: number | undefined
}

/** enum ip_conntrack_status; linux/netfilter/nf_conntrack_common.h */
export const flowStatus = {
  seenReply: 0x2,
  assured: 0x4,
  sourceNat: 0x10,
  destinationNat: 0x20,
} as const

/** enum ctattr_ip; linux/netfilter/nfnetlink_conntrack.h, as all tables of this file. */
export const ipAttributes = {
  v4Source: { id: 1, kind: 'bytes' },
  v4Destination: { id: 2, kind: 'bytes' },
  v6Source: { id: 3, kind: 'bytes' },
  v6Destination: { id: 4, kind: 'bytes' },
} as const satisfies Attributes

/** enum ctattr_l4proto */
export const protocolAttributes = {
  number: { id: 1, kind: 'u8' },
  sourcePort: { id: 2, kind: 'u16be' },
  destinationPort: { id: 3, kind: 'u16be' },
  icmpId: { id: 4, kind: 'u16be' },
  icmpType: { id: 5, kind: 'u8' },
  icmpCode: { id: 6, kind: 'u8' },
  icmpv6Id: { id: 7, kind: 'u16be' },
  icmpv6Type: { id: 8, kind: 'u8' },
  icmpv6Code: { id: 9, kind: 'u8' },
} as const satisfies Attributes

/** enum ctattr_tuple */
export const tupleAttributes = {
  ip: { id: 1, kind: 'nest', nest: ipAttributes },
  protocol: { id: 2, kind: 'nest', nest: protocolAttributes },
  zone: { id: 3, kind: 'u16be' },
} as const satisfies Attributes

/** enum ctattr_filter: which fields of the tuples the kernel compares (bits: 1 << (CTA_* number), see
 *  CTA_FILTER_F_* in net/netfilter/nf_conntrack_netlink.c). Host order; kernel 5.8. */
export const filterAttributes = {
  originalFlags: { id: 1, kind: 'u32host' },
  replyFlags: { id: 2, kind: 'u32host' },
} as const satisfies Attributes

/** enum ctattr_protoinfo with enum ctattr_protoinfo_tcp */
export const protocolState = {
  tcp: { id: 1, kind: 'nest', nest: { state: { id: 1, kind: 'u8' } } },
} as const satisfies Attributes

/** enum ctattr_type */
export const flowAttributes = {
  original: { id: 1, kind: 'nest', nest: tupleAttributes },
  reply: { id: 2, kind: 'nest', nest: tupleAttributes },
  status: { id: 3, kind: 'u32be' },
  protocolState: { id: 4, kind: 'nest', nest: protocolState },
  timeoutSeconds: { id: 7, kind: 'u32be' },
  mark: { id: 8, kind: 'u32be' },
  id: { id: 12, kind: 'u32be' },
  zone: { id: 18, kind: 'u16be' },
  markMask: { id: 21, kind: 'u32be' },
  filter: { id: 25, kind: 'nest', nest: filterAttributes },
} as const satisfies Attributes

const noTuple: ConntrackTuple = {
  source: '',
  destination: '',
  protocol: 0,
  sourcePort: 0,
  destinationPort: 0,
}

/** Decodes the flow whose attributes the reader is at. By hand, because a table can have hundreds of thousands
 *  of flows. Throws a DecodeError. */
export function decodeFlow(reader: AttributeReader, family: 4 | 6): ConntrackFlow {
  let original = noTuple
  let reply = noTuple
  let status = 0
  let mark = 0
  let zone = 0
  let id = 0
  let timeoutSeconds = 0
  let tcpState: number | undefined
  while (reader.next()) {
    const attribute = reader.id
    if (attribute === 1) original = decodeTuple(reader)
    else if (attribute === 2) reply = decodeTuple(reader)
    else if (attribute === 3) status = word(reader)
    else if (attribute === 4) tcpState = decodeTcpState(reader)
    else if (attribute === 7) timeoutSeconds = word(reader)
    else if (attribute === 8) mark = word(reader)
    else if (attribute === 12) id = word(reader)
    else if (attribute === 18) zone = short(reader)
  }
  finish(reader)
  return { family, original, reply, status, mark, zone, id, timeoutSeconds, tcpState }
}

function decodeTuple(reader: AttributeReader): ConntrackTuple {
  let source = ''
  let destination = ''
  let protocol = 0
  let sourcePort = 0
  let destinationPort = 0
  reader.enter()
  while (reader.next()) {
    const part = reader.id
    if (part !== 1 && part !== 2) continue
    reader.enter()
    while (reader.next()) {
      const { id } = reader
      if (part === 1) {
        if (id === 1 || id === 3) source = reader.byteString()
        else if (id === 2 || id === 4) destination = reader.byteString()
      } else if (id === 1 && reader.length === 1) protocol = reader.u8()
      else if (id === 2) sourcePort = short(reader)
      else if (id === 3) destinationPort = short(reader)
    }
    reader.leave()
  }
  reader.leave()
  return { source, destination, protocol, sourcePort, destinationPort }
}

function decodeTcpState(reader: AttributeReader): number | undefined {
  let state: number | undefined
  reader.enter()
  while (reader.next()) {
    if (reader.id !== protocolState.tcp.id) continue
    reader.enter()
    state = firstByte(reader)
    reader.leave()
  }
  reader.leave()
  return state
}

function firstByte(reader: AttributeReader): number | undefined {
  let byte: number | undefined
  while (reader.next()) if (reader.id === 1 && reader.length === 1) byte = reader.u8()
  return byte
}

function word(reader: AttributeReader): number {
  if (reader.length === 4) return reader.u32be()
  reader.fault ??= `attribute ${reader.id} of ${reader.length} bytes, expected 4`
  return 0
}

function short(reader: AttributeReader): number {
  if (reader.length === 2) return reader.u16be()
  reader.fault ??= `attribute ${reader.id} of ${reader.length} bytes, expected 2`
  return 0
}

function finish(reader: AttributeReader): void {
  if (reader.fault === undefined) return
  const fault = { path: [], value: reader.fault, expected: 'whole attributes' }
  throw new DecodeError('conntrack flow', [fault])
}
