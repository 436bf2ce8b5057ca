/** Bytes as a string whose every character is one byte (latin1). It can be compared, kept and used as a
 *  key of a Map, which a Uint8Array cannot; V8 stores it with one byte a character. */
export type ByteString = string

/** The bytes of `bytes` from `start` to `end` as a byte string. */
export function toByteString(bytes: Uint8Array, start = 0, end = bytes.length): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    'latin1',
    start,
    end,
  )
}

/** The bytes of a byte string, newly allocated. */
export function fromByteString(text: ByteString): Uint8Array {
  return Buffer.from(text, 'latin1')
}
