import type { ConnectionId } from '../connection-id.ts'
import type { TimerId } from '../reactor.ts'
import type { Timers } from '../timers.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { ConnectionTable } from './connection-table.ts'

/** How long nothing is received for lack of a buffer before room is made, and then until more room is. */
const patienceMs = 1_000
const nextPatienceMs = 20

/** Part of the free receive buffers that one connection may have waiting: the fewer are left, the fewer each gets,
 *  so that some are left however many peers do not read. */
const share = 1 / 16

/** Keeps peers that do not read from having all receive buffers. */
export class BufferRelief {
  readonly #pool: BufferPool
  readonly #table: ConnectionTable
  readonly #timers: Timers
  readonly #reset: (connection: ConnectionId) => void
  #freedBefore = 0
  #timer: TimerId = -1
  /** When a connection was reset last. */
  #resetMs = Number.NEGATIVE_INFINITY

  /** `reset` ends a connection for lack of buffers. */
  constructor(
    pool: BufferPool,
    table: ConnectionTable,
    timers: Timers,
    reset: (connection: ConnectionId) => void,
  ) {
    this.#pool = pool
    this.#table = table
    this.#timers = timers
    this.#reset = reset
  }

  /** Receive buffers that may wait on one connection now. */
  get allowance(): number {
    return this.#pool.freeReceiveCount * share
  }

  /** Nothing could be received on a connection because all buffers are taken. */
  starved(): void {
    if (this.#timer >= 0) return
    this.#freedBefore = this.#pool.freedReceiveCount
    // What became free was taken by those that waited: they may not be all.
    const isShort = performance.now() < this.#resetMs + patienceMs
    const waitMs = isShort ? nextPatienceMs : patienceMs
    this.#timer = this.#timers.start(waitMs, 0, this.#onLate)
  }

  /** Nothing is reset any more. */
  close(): void {
    this.#timers.stop(this.#timer)
    this.#timer = -1
  }

  readonly #onLate = (): void => {
    this.#timer = -1
    // Who waits is not told of twice.
    if (this.#pool.freeReceiveCount > 0) return
    const isStuck = this.#pool.freedReceiveCount === this.#freedBefore
    const victim = isStuck ? this.#slowest() : -1
    if (victim >= 0) {
      this.#resetMs = performance.now()
      this.#reset(victim)
    }
    this.starved()
  }

  /** The connection on which most bytes wait for a peer that does not read, or -1. */
  #slowest(): ConnectionId {
    const { slots, pending } = this.#table
    let found = -1
    let most = 0
    for (let slot = 0; slot < slots.bound; slot++) {
      const bytes = pending[slot] ?? 0
      const id = slots.idAt(slot)
      if (bytes <= most || !this.#table.isAlive(id)) continue
      found = id
      most = bytes
    }
    return found
  }
}
