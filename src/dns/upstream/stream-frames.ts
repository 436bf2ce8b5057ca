import { copyOfBytes } from '../../net/copy-bytes.ts'

/** Cuts a byte stream into messages, each behind its length of two bytes (RFC 1035 section 4.2.2). */
export class StreamFrames {
  #rest: Uint8Array = new Uint8Array(0)

  /** Adds bytes and gives the messages that are complete now. */
  push(chunk: Uint8Array): Uint8Array[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const messages: Uint8Array[] = []
    let at = 0
    while (at + 2 <= bytes.length) {
      const end = at + 2 + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0))
      if (end > bytes.length) break
      messages.push(bytes.subarray(at + 2, end))
      at = end
    }
    // A copy: a slice would hold the whole chunk.
    this.#rest = copyOfBytes(bytes, at, bytes.length)
    return messages
  }
}

/** A message behind its length. */
export function frame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.length + 2)
  bytes[0] = message.length >> 8
  bytes[1] = message.length & 0xff
  bytes.set(message, 2)
  return bytes
}
