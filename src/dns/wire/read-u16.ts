/** The number of 16 bits at a place of a message, 0 behind its end: for those who look at single fields. */
export function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
