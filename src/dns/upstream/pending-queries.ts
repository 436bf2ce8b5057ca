import type { Clock } from '../../kube/clock.ts'
import type { Message } from '../wire/message.ts'

/** Who waits for a reply. */
export interface PendingQuery {
  /** As it was sent. */
  readonly query: Message
  readonly sent: Uint8Array
  resolve(reply: Message): void
  reject(error: Error): void
}

/** Queries of one socket that wait for their replies, by id. */
export class PendingQueries {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #byId = new Map<
    number,
    { readonly pending: PendingQuery; readonly cancel: () => void }
  >()

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  /** Number of queries that wait. */
  get count(): number {
    return this.#byId.size
  }

  /** An id that no query waits with, chosen by chance. */
  freeId(): number {
    for (;;) {
      const id = Math.floor(this.#random() * 0x10000)
      if (!this.#byId.has(id)) return id
    }
  }

  /** Waits for the reply to a query with a free id; after `timeoutMs` it is rejected. */
  add(pending: PendingQuery, timeoutMs: number, timeoutError: () => Error): void {
    const { id } = pending.query
    const cancel = this.#clock.schedule(() => {
      this.#byId.delete(id)
      pending.reject(timeoutError())
    }, timeoutMs)
    this.#byId.set(id, { pending, cancel })
  }

  /** The query that waits with this id. */
  get(id: number): PendingQuery | undefined {
    return this.#byId.get(id)?.pending
  }

  /** Ends the wait with a reply. */
  settle(id: number, reply: Message): void {
    const waiting = this.#byId.get(id)
    if (waiting === undefined) return
    this.#byId.delete(id)
    waiting.cancel()
    waiting.pending.resolve(reply)
  }

  /** Ends all waits. */
  rejectAll(error: Error): void {
    for (const { pending, cancel } of this.#byId.values()) {
      cancel()
      pending.reject(error)
    }
    this.#byId.clear()
  }
}
