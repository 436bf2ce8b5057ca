import type { Lease } from './reactor.ts'

/** Buffers that somebody has kept: those of Node, or numbers of a pool. */
export class LeaseTable<B> {
  readonly #buffers = new Map<Lease, B>()
  #last = 0

  get count(): number {
    return this.#buffers.size
  }

  add(buffer: B): Lease {
    this.#last++
    this.#buffers.set(this.#last, buffer)
    return this.#last
  }

  /** What is wrong when the reactor ends now; undefined: nothing. */
  get leftError(): Error | undefined {
    const left = this.#buffers.size
    return left === 0 ? undefined : new Error(`reactor: ${left} leases were never given back`)
  }

  /** Takes a lease back. Throws when it was given away before. */
  take(lease: Lease): B {
    const buffer = this.#buffers.get(lease)
    if (buffer === undefined) throw new Error(`reactor: lease ${lease} was given away before`)
    this.#buffers.delete(lease)
    return buffer
  }
}
