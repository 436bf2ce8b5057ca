import { type ConnectionId, slotOf } from './connection-id.ts'
import type { TimerId } from './reactor.ts'
import type { Timers } from './timers.ts'

/** Finds connections on which nothing happens. Activity only notes the time; a timer that fires too early is
 *  started again for the rest. */
export class IdleWatch {
  readonly #timers: Timers
  readonly #onTimeout: (connection: ConnectionId) => void
  /** By slot; 0: not watched. */
  readonly #timeoutMs: Float64Array
  readonly #lastMs: Float64Array
  readonly #timer: Float64Array

  constructor(slots: number, timers: Timers, onTimeout: (connection: ConnectionId) => void) {
    this.#timers = timers
    this.#onTimeout = onTimeout
    this.#timeoutMs = new Float64Array(slots)
    this.#lastMs = new Float64Array(slots)
    this.#timer = new Float64Array(slots)
  }

  /** Watches a connection from now on; 0 ends it. */
  watch(connection: ConnectionId, timeoutMs: number): void {
    const slot = slotOf(connection)
    this.forget(slot)
    if (timeoutMs <= 0) return
    this.#timeoutMs[slot] = timeoutMs
    this.#lastMs[slot] = performance.now()
    this.#start(connection, timeoutMs)
  }

  /** Bytes came or went at this time. */
  touch(slot: number, nowMs: number): void {
    this.#lastMs[slot] = nowMs
  }

  forget(slot: number): void {
    if (this.#timeoutMs[slot] === 0) return
    this.#timeoutMs[slot] = 0
    this.#timers.stop((this.#timer[slot] ?? 0) as TimerId)
  }

  #start(connection: ConnectionId, delayMs: number): void {
    this.#timer[slotOf(connection)] = this.#timers.start(delayMs, connection, this.#fire)
  }

  readonly #fire = (connection: ConnectionId): void => {
    const slot = slotOf(connection)
    const timeoutMs = this.#timeoutMs[slot] ?? 0
    const now = performance.now()
    const restMs = (this.#lastMs[slot] ?? 0) + timeoutMs - now
    if (restMs > 0) {
      this.#start(connection, restMs)
      return
    }
    this.#lastMs[slot] = now
    this.#start(connection, timeoutMs)
    this.#onTimeout(connection)
  }
}
