import type { TimerId } from './reactor.ts'
import { TimerWheel } from './timer-wheel.ts'

/** A wheel that turns: by Node's clock and a timer of Node, or by an owner that asks `waitMs` before it sleeps. */
export class Timers {
  readonly #wheel: TimerWheel
  readonly #isOwnerDriven: boolean
  #nodeTimer: NodeJS.Timeout | undefined
  /** When the timer of Node fires. */
  #wakesAtMs = Number.POSITIVE_INFINITY
  #isClosed = false
  readonly #tickMs: number

  constructor(tickMs: number, isOwnerDriven: boolean) {
    this.#tickMs = tickMs
    this.#isOwnerDriven = isOwnerDriven
    this.#wheel = new TimerWheel(tickMs, performance.now())
  }

  get count(): number {
    return this.#wheel.count
  }

  start(delayMs: number, tag: number, fire: (tag: number) => void): TimerId {
    const now = performance.now()
    const timer = this.#wheel.start(now, delayMs, tag, fire)
    if (!this.#isOwnerDriven && now + delayMs + this.#tickMs < this.#wakesAtMs) {
      this.#sleep(now, delayMs + this.#tickMs)
    }
    return timer
  }

  stop(timer: TimerId): void {
    this.#wheel.stop(timer)
  }

  /** Fires what is due. */
  advance(nowMs: number): void {
    this.#wheel.advance(nowMs)
  }

  /** How long an owner may sleep; -1: without end. */
  waitMs(nowMs: number): number {
    return this.#wheel.waitMs(nowMs)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#nodeTimer)
  }

  #sleep(nowMs: number, delayMs: number): void {
    clearTimeout(this.#nodeTimer)
    this.#wakesAtMs = nowMs + delayMs
    this.#nodeTimer = setTimeout(this.#wake, Math.ceil(delayMs))
  }

  readonly #wake = (): void => {
    this.#wakesAtMs = Number.POSITIVE_INFINITY
    this.#wheel.advance(performance.now())
    const now = performance.now()
    const waitMs = this.#wheel.waitMs(now)
    if (waitMs >= 0 && !this.#isClosed && now + waitMs < this.#wakesAtMs) this.#sleep(now, waitMs)
  }
}
