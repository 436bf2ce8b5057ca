import type { Response } from '../plugins/dns-server.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import { rcodes } from '../wire/numbers.ts'
import { WireError } from '../wire/wire-error.ts'

/** The bytes of a response. One that cannot be encoded (an upstream's or a template's name breaks the rules
 *  of the format) becomes SERVFAIL; undefined when not even the question fits. */
export function encodeResponse({ message, maxBytes }: Response): Uint8Array | undefined {
  const empty = { answers: [], authority: [], additional: [] }
  const failed = { ...message, ...empty, rcode: rcodes.SERVFAIL }
  return tryEncode(message, maxBytes) ?? tryEncode(failed, maxBytes)
}

function tryEncode(message: Response['message'], maxBytes: number): Uint8Array | undefined {
  try {
    return encodeMessage(message, maxBytes)
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
