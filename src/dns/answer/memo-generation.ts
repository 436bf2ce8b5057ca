import type { Lease } from '../chain/reply.ts'

/** Where an entry's parts stand, in words of 4 bytes from its start. Behind them: for each stamp its slot and
 *  its value, one word per TTL offset, then the bytes of key and answer. */
export const entryWords = {
  hash: 0,
  keyBytes: 1,
  answerBytes: 2,
  stampCount: 3,
  ttlCount: 4,
  rotationOffset: 5,
  rotationBlock: 6,
  rotationCount: 7,
  /** Index of the lease, -1: none. */
  lease: 8,
  /** The caller's number for its counters. */
  tally: 9,
  size: 10,
} as const

/** Entries that are looked for at most; what does not fit between replaces the last one. */
const maxProbes = 16

/** A hash table of entries in one block of memory that only grows until it is full: then it is cleared as a
 *  whole. Entries are found by their first word; deleting does not exist. */
export class MemoGeneration {
  readonly words: Int32Array
  readonly bytes: Uint8Array
  readonly leases: Lease[] = []
  /** Word where an entry begins, plus 1; 0: empty. */
  readonly #table: Int32Array
  readonly #mask: number
  #usedWords = 0
  #count = 0

  /** `byteCount` for the entries; the table is made for entries of 128 bytes. */
  constructor(byteCount: number) {
    const buffer = new ArrayBuffer(byteCount & ~3)
    this.words = new Int32Array(buffer)
    this.bytes = new Uint8Array(buffer)
    const tableSize = 2 ** Math.ceil(Math.log2(byteCount / 64))
    this.#table = new Int32Array(tableSize)
    this.#mask = tableSize - 1
  }

  get byteCount(): number {
    return this.#usedWords * 4
  }

  get count(): number {
    return this.#count
  }

  clear(): void {
    this.#table.fill(0)
    this.#usedWords = 0
    this.#count = 0
    this.leases.length = 0
  }

  /** The entry with this key, or -1. */
  find(hash: number, key: Uint8Array, keyLength: number): number {
    for (let probe = 0; probe < maxProbes; probe++) {
      const entry = (this.#table[(hash + probe) & this.#mask] ?? 0) - 1
      if (entry < 0) return -1
      if (this.words[entry] === hash && this.#hasKey(entry, key, keyLength)) return entry
    }
    return -1
  }

  /** Room for an entry of so many words, at the place of the table where the key belongs; -1: full. */
  add(hash: number, key: Uint8Array, keyLength: number, wordCount: number): number {
    if (this.#usedWords + wordCount > this.words.length) return -1
    if (this.#count * 4 > this.#mask * 3) return -1
    const entry = this.#usedWords
    this.#usedWords += wordCount
    let place = hash & this.#mask
    for (let probe = 0; probe < maxProbes; probe++) {
      place = (hash + probe) & this.#mask
      const other = (this.#table[place] ?? 0) - 1
      if (other < 0) {
        this.#count++
        break
      }
      if (this.words[other] === hash && this.#hasKey(other, key, keyLength)) break
    }
    this.#table[place] = entry + 1
    return entry
  }

  /** First byte of the entry's key. */
  keyOffset(entry: number): number {
    const stampCount = this.words[entry + entryWords.stampCount] ?? 0
    const ttlCount = this.words[entry + entryWords.ttlCount] ?? 0
    return (entry + entryWords.size + 2 * stampCount + ttlCount) * 4
  }

  #hasKey(entry: number, key: Uint8Array, keyLength: number): boolean {
    if (this.words[entry + entryWords.keyBytes] !== keyLength) return false
    const offset = this.keyOffset(entry)
    for (let index = 0; index < keyLength; index++) {
      if (this.bytes[offset + index] !== key[index]) return false
    }
    return true
  }
}
