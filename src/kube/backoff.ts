/** Bounds of the time between two attempts, milliseconds. */
export interface BackoffBounds {
  readonly baseMs: number
  readonly maxMs: number
}

/** Waiting times with decorrelated jitter: each is drawn between the base and three times the one
 *  before. Thousands of nodes that lost one server do not come back at the same moment, nor in
 *  waves. */
export class Backoff {
  readonly #bounds: BackoffBounds
  readonly #random: () => number
  #lastMs: number

  constructor(bounds: BackoffBounds, random: () => number) {
    this.#bounds = bounds
    this.#random = random
    this.#lastMs = bounds.baseMs
  }

  /** The next waiting time, milliseconds. */
  next(): number {
    const { baseMs, maxMs } = this.#bounds
    const drawn = baseMs + this.#random() * (3 * this.#lastMs - baseMs)
    this.#lastMs = Math.min(maxMs, drawn)
    return this.#lastMs
  }

  /** After a success: begin again at the base. */
  reset(): void {
    this.#lastMs = this.#bounds.baseMs
  }
}
