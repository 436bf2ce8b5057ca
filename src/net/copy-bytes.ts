/** Up to here a loop is faster than a view and `set`. */
const shortBytes = 256

/** Copies `length` bytes; short ones without making an object. */
export function copyBytes(
  source: Uint8Array,
  sourceStart: number,
  target: Uint8Array,
  targetStart: number,
  length: number,
): void {
  if (length > shortBytes) {
    target.set(source.subarray(sourceStart, sourceStart + length), targetStart)
    return
  }
  for (let index = 0; index < length; index++) {
    target[targetStart + index] = source[sourceStart + index] ?? 0
  }
}

/** The bytes from `start` up to, not with, `end` in memory of their own; `Buffer.slice` would be a view. */
export function copyOfBytes(source: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start)
  copyBytes(source, start, copy, 0, end - start)
  return copy
}
