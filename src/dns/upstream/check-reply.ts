import { decodeMessage } from '../wire/decode-message.ts'
import type { Message } from '../wire/message.ts'
import { WireError } from '../wire/wire-error.ts'

/** Bytes of the header. */
const headerBytes = 12

/** The id of a message; undefined for bytes that are too short to be one. */
export function readId(bytes: Uint8Array): number | undefined {
  if (bytes.length < headerBytes) return undefined
  return ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
}

/** Decodes bytes that came with the id of a query, and gives the reply when it is one to this query: a
 *  response with the same operation and exactly the same question, case included. A reply that says or
 *  shows that it was cut comes as an empty one with TC, so that the client asks again over TCP.
 *  Undefined: not our reply, which may still come. */
export function checkReply(bytes: Uint8Array, query: Message): Message | undefined {
  const reply = decode(bytes)
  if (reply === undefined) return isCut(bytes) ? cutReply(query) : undefined
  if (!reply.flags.qr || reply.opcode !== query.opcode) return undefined
  const [asked] = query.questions
  const [answered] = reply.questions
  // Servers that cannot answer at all may leave the question out (RFC 1035 leaves it open).
  if (answered === undefined)
    return reply.rcode === 0 ? undefined : { ...reply, questions: query.questions }
  const isSame =
    answered.name === asked?.name &&
    answered.type === asked.type &&
    answered.class === asked.class &&
    reply.questions.length === query.questions.length
  return isSame ? reply : undefined
}

function decode(bytes: Uint8Array): Message | undefined {
  try {
    return decodeMessage(bytes)
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

/** QR and TC are set in a message that cannot be read to its end. */
function isCut(bytes: Uint8Array): boolean {
  const flags = bytes[2] ?? 0
  return (flags & 0x80) !== 0 && (flags & 0x02) !== 0
}

function cutReply(query: Message): Message {
  const flags = { ...query.flags, qr: true, tc: true }
  return { ...query, flags, answers: [], authority: [], additional: [], edns: undefined }
}
