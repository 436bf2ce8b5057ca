import { decodeMessage, headerBytes } from '../wire/decode-message.ts'
import type { Message } from '../wire/message.ts'
import { readU16 } from '../wire/read-u16.ts'
import { WireError } from '../wire/wire-error.ts'

/** The id of a message; undefined for bytes that are too short to be one. */
export function readId(bytes: Uint8Array): number | undefined {
  if (bytes.length < headerBytes) return undefined
  return readU16(bytes, 0)
}

/** Decodes bytes that came with the id of a query, and gives the reply when it is one to this query, of which
 *  `sent` are the bytes: a response with the same operation and exactly the same question, case included.
 *  A reply that says or shows that it was cut comes as an empty one with TC, so that the client asks
 *  again over TCP. Undefined: not our reply, which may still come. */
export function checkReply(
  bytes: Uint8Array,
  query: Message,
  sent: Uint8Array,
): Message | undefined {
  // Compared as bytes, so that what is forged costs no decoding.
  const flags = bytes[2] ?? 0
  const questionCount = readU16(bytes, 4)
  if ((flags & 0x80) === 0 || ((flags >> 3) & 0xf) !== query.opcode) return undefined
  // Servers that cannot answer at all may leave the question out (RFC 1035 leaves it open).
  const isBare = questionCount === 0 && ((bytes[3] ?? 0) & 0xf) !== 0
  if (!isBare && (questionCount !== 1 || !hasQuestion(bytes, sent))) return undefined
  const reply = decode(bytes)
  if (reply === undefined) return (flags & 0x02) === 0 ? undefined : cutReply(query)
  return isBare ? { ...reply, questions: query.questions } : reply
}

/** The question stands behind the header of both, with its name written out: nothing is before it that could be
 *  pointed at. */
function hasQuestion(bytes: Uint8Array, sent: Uint8Array): boolean {
  let end = headerBytes
  while ((sent[end] ?? 0) !== 0) end += (sent[end] ?? 0) + 1
  end += 5
  if (bytes.length < end) return false
  for (let at = headerBytes; at < end; at++) if (bytes[at] !== sent[at]) return false
  return true
}

function decode(bytes: Uint8Array): Message | undefined {
  try {
    return decodeMessage(bytes)
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

function cutReply(query: Message): Message {
  const flags = { ...query.flags, qr: true, tc: true }
  return { ...query, flags, answers: [], authority: [], additional: [], edns: undefined }
}
