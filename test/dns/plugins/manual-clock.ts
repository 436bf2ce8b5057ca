import type { Clock } from '../../../src/kube/clock.ts'

/** Time that passes when a test says so. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000
  #timers: { readonly atMs: number; readonly callback: () => void }[] = []

  now(): number {
    return this.#nowMs
  }

  schedule(callback: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Lets time pass and calls what is due, in order. */
  async advance(milliseconds: number): Promise<void> {
    await settled()
    const endMs = this.#nowMs + milliseconds
    for (;;) {
      const [next] = this.#timers
        .filter(({ atMs }) => atMs <= endMs)
        .sort((left, right) => left.atMs - right.atMs)
      if (next === undefined) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.callback()
      await settled()
    }
    this.#nowMs = endMs
    await settled()
  }
}

/** Lets everything that is ready go on, promises first. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
