import { addressRecordBytes } from '../../reactor/address-record.ts'

/** Places; a power of two. Flows that share one take it from each other. */
const placeCount = 4_096
const recordWords = addressRecordBytes / 4

/** Flows that had a datagram lately, by address record and number of the listener: found without making a key of the
 *  bytes. It forgets at any time, and knows nothing of ends: who asks looks the flow up elsewhere otherwise. */
export class RecentFlows<F> {
  readonly #flows: (F | undefined)[] = new Array(placeCount).fill(undefined)
  readonly #listeners = new Int32Array(placeCount)
  readonly #records = new Int32Array(placeCount * recordWords)

  /** The flow that was last noted under this record (`address-record.ts`, as words) and listener, if it is still
   *  known. */
  find(record: Int32Array, listener: number): F | undefined {
    const place = placeOf(record, listener)
    if (this.#listeners[place] !== listener) return undefined
    const at = place * recordWords
    for (let word = 0; word < recordWords; word++) {
      if (this.#records[at + word] !== record[word]) return undefined
    }
    return this.#flows[place]
  }

  note(record: Int32Array, listener: number, flow: F): void {
    const place = placeOf(record, listener)
    this.#listeners[place] = listener
    this.#records.set(record, place * recordWords)
    this.#flows[place] = flow
  }
}

/** A hash that clients' ports and addresses spread well enough (multiplication by the golden ratio). */
function placeOf(record: Int32Array, listener: number): number {
  let hash = listener
  for (let word = 0; word < recordWords; word++) {
    hash = Math.imul(hash ^ (record[word] ?? 0), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash & (placeCount - 1)
}
