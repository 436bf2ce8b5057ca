import type { Message } from './message.ts'
import { WireError } from './wire-error.ts'

/** Encodes a message into at most `maxSize` bytes, names compressed. What does not fit is left out,
 *  whole record sets at a time, and TC is set when the answer section lost one. Throws a WireError when
 *  header, question and OPT record alone are too large, or the message breaks a rule of the format. */
export function encodeMessage(message: Message, maxSize: number): Uint8Array {
  throw new WireError(0, `not encoded yet (${message.id}, ${maxSize})`)
}
