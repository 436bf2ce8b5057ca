import { recordTypes } from '../wire/numbers.ts'

/** Bytes of a key before the name: flags, UDP size, type, class. */
const fixedBytes = 8

/** The longest key: fixed part and a name of 255 bytes. */
const maxKeyBytes = fixedBytes + 255

/** Header flags that must be clear: QR, opcode, AA, TC; then RA, Z and the response code. */
const unusualFirstFlags = 0xfe
const unusualSecondFlags = 0xcf

/** What of an ordinary query its answer depends on, as bytes: one object per server, filled anew for each
 *  packet. Ordinary: one question with a name that is written out, no other record but an OPT record
 *  without options. Everything else is left to the full decoder. */
export class QuestionKey {
  /** flags (RD, AD, CD, EDNS, DO, stream), 0, UDP size, type, class, name in lower case. */
  readonly bytes = new Uint8Array(maxKeyBytes)
  length = 0
  /** FNV-1a over the key, begun with a secret so that nobody can choose names that collide. */
  hash = 0
  /** The name had no upper-case letter. */
  isLowerCase = true
  /** End of the question, counted from the start of the packet. */
  questionEnd = 0
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  /** Reads the query at `start` to `end`; false: not an ordinary one. Nothing is thrown or allocated. */
  read(packet: Uint8Array, start: number, end: number, isStream: boolean): boolean {
    const first = packet[start + 2] ?? 0
    const second = packet[start + 3] ?? 0
    if (end - start < 17 || (first & unusualFirstFlags) !== 0) return false
    if ((second & unusualSecondFlags) !== 0 || !hasCounts(packet, start)) return false
    const at = this.#readName(packet, start + 12, end)
    if (at < 0 || at + 4 > end) return false
    this.questionEnd = at + 4 - start
    const key = this.bytes
    key[4] = packet[at] ?? 0
    key[5] = packet[at + 1] ?? 0
    key[6] = packet[at + 2] ?? 0
    key[7] = packet[at + 3] ?? 0
    key[0] = (first & 1) | (second & 0x30) | (isStream ? 8 : 0)
    key[1] = key[2] = key[3] = 0
    if (packet[start + 11] === 1 ? !this.#readOpt(packet, at + 4, end) : at + 4 !== end)
      return false
    this.hash = this.#finishHash()
    return true
  }

  /** Copies the name in lower case and hashes it; gives the offset behind it, or -1. */
  #readName(packet: Uint8Array, start: number, end: number): number {
    const key = this.bytes
    let hash = this.#seed
    let isLowerCase = true
    let at = start
    let to = fixedBytes
    for (;;) {
      const count = packet[at] ?? 0
      if (count > 63 || at + count >= end || to + count >= maxKeyBytes) return -1
      key[to++] = count
      at++
      if (count === 0) break
      hash = Math.imul(hash ^ count, 0x01000193)
      for (const labelEnd = at + count; at < labelEnd; at++) {
        let byte = packet[at] ?? 0
        if (byte >= 65 && byte <= 90) {
          byte |= 32
          isLowerCase = false
        }
        key[to++] = byte
        hash = Math.imul(hash ^ byte, 0x01000193)
      }
    }
    this.length = to
    this.hash = hash
    this.isLowerCase = isLowerCase
    return at
  }

  /** An OPT record without options, of version 0, that ends the packet. */
  #readOpt(packet: Uint8Array, at: number, end: number): boolean {
    if (at + 11 !== end) return false
    const isOpt = packet[at] === 0 && packet[at + 1] === 0 && packet[at + 2] === recordTypes.OPT
    const isPlain = packet[at + 5] === 0 && packet[at + 6] === 0
    if (!isOpt || !isPlain || packet[at + 9] !== 0 || packet[at + 10] !== 0) return false
    // Bits of the flags that nobody has defined yet may mean something to a plugin.
    if (((packet[at + 7] ?? 0) & 0x7f) !== 0 || packet[at + 8] !== 0) return false
    const key = this.bytes
    key[0] = (key[0] ?? 0) | 2 | (packet[at + 7] === 0x80 ? 4 : 0)
    key[2] = packet[at + 3] ?? 0
    key[3] = packet[at + 4] ?? 0
    return true
  }

  #finishHash(): number {
    const key = this.bytes
    let hash = this.hash
    for (let index = 0; index < fixedBytes; index++) {
      hash = Math.imul(hash ^ (key[index] ?? 0), 0x01000193)
    }
    // FNV leaves the low bits of similar inputs similar; the table is indexed by them.
    hash ^= hash >>> 15
    return Math.imul(hash, 0x2c1b3c6d) ^ (hash >>> 12)
  }
}

/** One question, no answer, no authority, at most one additional record. */
function hasCounts(packet: Uint8Array, start: number): boolean {
  return (
    packet[start + 4] === 0 &&
    packet[start + 5] === 1 &&
    packet[start + 6] === 0 &&
    packet[start + 7] === 0 &&
    packet[start + 8] === 0 &&
    packet[start + 9] === 0 &&
    packet[start + 10] === 0 &&
    (packet[start + 11] ?? 0) <= 1
  )
}
