import type { Message } from './message.ts'
import { WireError } from './wire-error.ts'

/** Decodes a whole message. Throws a WireError, and nothing else, for bytes that are not one. */
export function decodeMessage(bytes: Uint8Array): Message {
  throw new WireError(bytes.length, 'not decoded yet')
}
