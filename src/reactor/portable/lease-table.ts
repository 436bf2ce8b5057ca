import type { Lease } from '../reactor.ts'

/** Buffers of Node's that somebody has kept. */
export class LeaseTable {
  readonly #buffers = new Map<Lease, Buffer>()
  #last = 0

  get count(): number {
    return this.#buffers.size
  }

  add(buffer: Buffer): Lease {
    this.#last++
    this.#buffers.set(this.#last, buffer)
    return this.#last
  }

  /** Takes a lease back. Throws when it was given away before. */
  take(lease: Lease): Buffer {
    const buffer = this.#buffers.get(lease)
    if (buffer === undefined) throw new Error(`reactor: lease ${lease} was given away before`)
    this.#buffers.delete(lease)
    return buffer
  }
}
