import type { CacheEntry } from './cache-entry.ts'

/** Bounds of a store. */
export interface StoreBounds {
  readonly maxEntries: number
  /** Bytes of messages and keys, with `entryOverheadBytes` for each. */
  readonly maxBytes: number
}

/** What an entry costs beside its message and key: objects and map slots (measured, Node 26). */
const entryOverheadBytes = 200

/** Encoded answers by key, bounded in number and bytes. The one that was not used for the longest time
 *  goes first. */
export class AnswerStore {
  readonly #bounds: StoreBounds
  /** In the order of their last use. */
  readonly #entries = new Map<string, CacheEntry>()
  #byteCount = 0

  constructor(bounds: StoreBounds) {
    this.#bounds = bounds
  }

  /** Number of entries. */
  get entryCount(): number {
    return this.#entries.size
  }

  /** Bytes that they cost. */
  get byteCount(): number {
    return this.#byteCount
  }

  /** The entry, now the most recently used one; expired ones too. */
  get(key: string): CacheEntry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry
  }

  /** Stores an entry and returns how many others had to go. */
  set(key: string, entry: CacheEntry): number {
    this.delete(key)
    const { maxEntries, maxBytes } = this.#bounds
    const cost = costOf(key, entry)
    if (maxEntries === 0 || cost > maxBytes) {
      entry.isGone = true
      return 0
    }
    let evicted = 0
    while (this.#entries.size >= maxEntries || this.#byteCount + cost > maxBytes) {
      const [oldest] = this.#entries.keys()
      if (oldest === undefined) break
      this.delete(oldest)
      evicted++
    }
    this.#entries.set(key, entry)
    this.#byteCount += cost
    return evicted
  }

  /** Forgets an entry. */
  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#byteCount -= costOf(key, entry)
    entry.isGone = true
  }
}

function costOf(key: string, entry: CacheEntry): number {
  return entry.bytes.length + key.length + entryOverheadBytes
}
