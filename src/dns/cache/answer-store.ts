import type { CacheEntry } from './cache-entry.ts'

/** Bounds of a store. */
export interface StoreBounds {
  readonly maxEntries: number
  /** Bytes of messages and keys, with `entryOverheadBytes` for each. */
  readonly maxBytes: number
}

/** What an entry costs beside its message and key: objects and map slots (measured, Node 26). */
const entryOverheadBytes = 200

/** An entry in the list of all, in the order of their last use. */
interface Link {
  readonly key: string
  readonly entry: CacheEntry
  older: Link | undefined
  newer: Link | undefined
}

/** Encoded answers by key, bounded in number and bytes. The one that was not used for the longest time
 *  goes first. */
export class AnswerStore {
  readonly #bounds: StoreBounds
  readonly #links = new Map<string, Link>()
  #oldest: Link | undefined
  #newest: Link | undefined
  #byteCount = 0

  constructor(bounds: StoreBounds) {
    this.#bounds = bounds
  }

  /** Number of entries. */
  get entryCount(): number {
    return this.#links.size
  }

  /** Bytes that they cost. */
  get byteCount(): number {
    return this.#byteCount
  }

  /** The entry, now the most recently used one; expired ones too. */
  get(key: string): CacheEntry | undefined {
    const link = this.#links.get(key)
    if (link === undefined) return undefined
    if (link !== this.#newest) {
      this.#takeOut(link)
      this.#append(link)
    }
    return link.entry
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
    while (this.#links.size >= maxEntries || this.#byteCount + cost > maxBytes) {
      if (this.#oldest === undefined) break
      this.delete(this.#oldest.key)
      evicted++
    }
    const link = { key, entry, older: undefined, newer: undefined }
    this.#links.set(key, link)
    this.#append(link)
    this.#byteCount += cost
    return evicted
  }

  /** Forgets an entry. */
  delete(key: string): void {
    const link = this.#links.get(key)
    if (link === undefined) return
    this.#links.delete(key)
    this.#takeOut(link)
    this.#byteCount -= costOf(key, link.entry)
    link.entry.isGone = true
  }

  #append(link: Link): void {
    link.older = this.#newest
    link.newer = undefined
    if (this.#newest !== undefined) this.#newest.newer = link
    this.#newest = link
    this.#oldest ??= link
  }

  #takeOut(link: Link): void {
    const { older, newer } = link
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
  }
}

function costOf(key: string, entry: CacheEntry): number {
  return entry.text.length + key.length + entryOverheadBytes
}
