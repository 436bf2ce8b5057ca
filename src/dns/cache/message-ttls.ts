/** Bytes of the header. */
const headerBytes = 12
/** OPT carries flags where others carry a TTL. */
const optType = 41

/** Where the TTLs of an encoded message stand, OPT left out; undefined for bytes that are no message. */
export function findTtls(bytes: Uint8Array): Uint16Array | undefined {
  if (bytes.length < headerBytes || bytes.length > 0xffff) return undefined
  let at = headerBytes
  for (let left = readU16(bytes, 4); left > 0; left--) at = skipName(bytes, at) + 4
  const recordCount = readU16(bytes, 6) + readU16(bytes, 8) + readU16(bytes, 10)
  const offsets: number[] = []
  for (let left = recordCount; left > 0; left--) {
    at = skipName(bytes, at)
    if (at + 10 > bytes.length) return undefined
    if (readU16(bytes, at) !== optType) offsets.push(at + 4)
    at += 10 + readU16(bytes, at + 8)
  }
  return at > bytes.length ? undefined : Uint16Array.from(offsets)
}

/** Writes the same TTL to all places that `findTtls` gave: how a kept answer grows old. */
export function writeTtls(bytes: Uint8Array, offsets: Uint16Array, ttlSeconds: number): void {
  for (const offset of offsets) {
    bytes[offset] = (ttlSeconds >>> 24) & 0xff
    bytes[offset + 1] = (ttlSeconds >>> 16) & 0xff
    bytes[offset + 2] = (ttlSeconds >>> 8) & 0xff
    bytes[offset + 3] = ttlSeconds & 0xff
  }
}

/** The index behind a name; behind the end of the bytes when it is broken. */
function skipName(bytes: Uint8Array, start: number): number {
  let at = start
  for (;;) {
    const length = bytes[at]
    if (length === undefined) return bytes.length + 1
    if (length === 0) return at + 1
    if (length >= 0xc0) return at + 2
    at += length + 1
  }
}

function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
