import type { Clock } from '../../src/kube/clock.ts'

/** Time that only the test moves. */
export class FakeClock implements Clock {
  #now = 1_000_000
  readonly #timers = new Set<{ dueAt: number; callback: () => void }>()
  readonly #waiting: { delayMs: number; resolve: () => void }[] = []

  now(): number {
    return this.#now
  }

  /** Timers that are neither due nor cancelled. */
  get waiting(): number {
    return this.#timers.size
  }

  schedule(callback: () => void, delayMs: number): () => void {
    const timer = { dueAt: this.#now + delayMs, callback }
    this.#timers.add(timer)
    for (const [index, waiter] of this.#waiting.entries()) {
      if (waiter.delayMs !== delayMs) continue
      this.#waiting.splice(index, 1)
      waiter.resolve()
      break
    }
    return () => this.#timers.delete(timer)
  }

  /** Resolves as soon as a timer of exactly this delay is scheduled. */
  scheduled(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ delayMs, resolve })
    return promise
  }

  /** Moves time and calls what is due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.dueAt <= end)
      const [first] = due.sort((a, b) => a.dueAt - b.dueAt)
      if (first === undefined) break
      this.#timers.delete(first)
      this.#now = Math.max(this.#now, first.dueAt)
      first.callback()
    }
    this.#now = end
  }
}
