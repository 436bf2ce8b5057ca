import { headerBytes } from '../wire/decode-message.ts'
import { opcodes, rcodes } from '../wire/numbers.ts'
import { readU16 } from '../wire/read-u16.ts'

/** The answer to bytes that are not a query that could be answered: a header alone. Undefined: silence, for
 *  what has no header and for responses, to which an answer could start a storm. */
export function refusePacket(packet: Uint8Array): Uint8Array | undefined {
  const flags = packet[2] ?? 0
  if (packet.length < headerBytes || (flags & 0x80) !== 0) return undefined
  const rcode = isKnownOpcode(flags) ? rcodes.FORMERR : rcodes.NOTIMP
  const answer = new Uint8Array(headerBytes)
  answer.set(packet.subarray(0, 2))
  // QR, and opcode and RD as they came.
  answer[2] = 0x80 | (flags & 0x79)
  answer[3] = rcode
  return answer
}

/** Whether the packet may be decoded as a query: it is no response, has an operation that plugins know and
 *  one question, and not more other records than queries have (a SOA in NOTIFY and IXFR, OPT and a
 *  signature). */
export function isQueryHeader(packet: Uint8Array): boolean {
  if (packet.length < headerBytes) return false
  const flags = packet[2] ?? 0
  return (
    (flags & 0x80) === 0 &&
    isKnownOpcode(flags) &&
    readU16(packet, 4) === 1 &&
    readU16(packet, 6) <= 1 &&
    readU16(packet, 8) <= 1 &&
    readU16(packet, 10) <= 2
  )
}

function isKnownOpcode(flags: number): boolean {
  const opcode = (flags >> 3) & 0xf
  return opcode === opcodes.QUERY || opcode === opcodes.NOTIFY
}
