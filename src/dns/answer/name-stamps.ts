/** How many counters; a power of two. Dependencies that share one only make each other's answers forgotten
 *  a little too often: with 20,000 services a change touches one other in three times. */
const stampCount = 65_536

/** A counter for everything that answers depend on. An answer remembers the counters that it was made
 *  under, and is good as long as they stand: so a change costs one increment, however many answers
 *  are kept, and answers need no lists of what to forget. */
export class NameStamps {
  readonly #stamps = new Uint32Array(stampCount)

  /** The place of a dependency's counter. */
  slotOf(dependency: string): number {
    let hash = 0x811c9dc5
    for (let index = 0; index < dependency.length; index++) {
      hash = Math.imul(hash ^ dependency.charCodeAt(index), 0x01000193)
    }
    return (hash ^ (hash >>> 16)) & (stampCount - 1)
  }

  /** The counter at a place, 32 bits. */
  at(slot: number): number {
    return this.#stamps[slot] ?? 0
  }

  /** What depends on this has changed. */
  change(dependency: string): void {
    const slot = this.slotOf(dependency)
    this.#stamps[slot] = this.at(slot) + 1
  }
}
