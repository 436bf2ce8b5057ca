import type { Clock } from './clock.ts'

/** Calls back when nothing was noted for a while; `note` costs one look at the clock. */
export class IdleGuard {
  readonly #clock: Clock
  readonly #onIdle: () => void
  #limitMs: number
  #notedAt: number
  #cancel: () => void

  constructor(clock: Clock, limitMs: number, onIdle: () => void) {
    this.#clock = clock
    this.#onIdle = onIdle
    this.#limitMs = limitMs
    this.#notedAt = clock.now()
    this.#cancel = clock.schedule(() => this.#look(), limitMs)
  }

  note(): void {
    this.#notedAt = this.#clock.now()
  }

  /** Goes on with another limit. */
  restart(limitMs: number): void {
    this.#cancel()
    this.#limitMs = limitMs
    this.note()
    this.#cancel = this.#clock.schedule(() => this.#look(), limitMs)
  }

  close(): void {
    this.#cancel()
  }

  #look(): void {
    const restMs = this.#notedAt + this.#limitMs - this.#clock.now()
    if (restMs <= 0) this.#onIdle()
    else this.#cancel = this.#clock.schedule(() => this.#look(), restMs)
  }
}
