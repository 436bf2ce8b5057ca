import { type ConnectionId, slotOf } from '../connection-id.ts'
import type { IdleWatch } from '../idle-watch.ts'
import type { ReactorLimits } from '../reactor.ts'
import { errnos } from '../stream-handler.ts'
import type { Timers } from '../timers.ts'
import type { BufferPool } from './buffer-pool.ts'
import { type ConnectionTable, flag } from './connection-table.ts'
import type { Driver } from './driver.ts'
import { resetOnClose } from './open-socket.ts'
import type { Outbox } from './outbox.ts'
import { SegmentQueue } from './segment-queue.ts'
import { shutdownWrite } from './socket-constants.ts'
import { systemCalls } from './system-calls.ts'

/** What connections work with. */
export interface StreamParts {
  readonly table: ConnectionTable
  readonly pool: BufferPool
  readonly outbox: Outbox
  readonly driver: Driver
  readonly timers: Timers
  readonly idle: IdleWatch
  readonly limits: ReactorLimits
  /** Asks for a turn: timers fire between turns. */
  readonly kick: () => void
}

/** The states of connections: what the driver tells becomes callbacks, what the owner asks becomes operations.
 *  Callbacks come only from `flush` and from the driver's events, thus from a turn. */
export class Streams {
  readonly #parts: StreamParts
  /** Received while paused. */
  readonly #held: SegmentQueue
  #dirty: ConnectionId[] = []
  #resumed: ConnectionId[] = []
  #closed: ConnectionId[] = []
  /** The buffer that `onData` is delivering, or -1. */
  #delivered = -1
  #nowMs = 0

  constructor(parts: StreamParts) {
    this.#parts = parts
    this.#held = new SegmentQueue(parts.limits.connections)
  }

  /** The buffer that is being delivered. Throws outside of onData. */
  delivered(use: string): number {
    if (this.#delivered < 0) throw new Error(`reactor: ${use}() outside of onData`)
    return this.#delivered
  }

  /** Whether `flush` has something to do. */
  get hasWork(): boolean {
    return this.#dirty.length + this.#resumed.length + this.#closed.length > 0
  }

  /** Time of this turn, for idle timeouts. */
  startTurn(nowMs: number): void {
    this.#nowMs = nowMs
  }

  /** A connection is open, accepted or connected. */
  opened(id: ConnectionId): void {
    const { table, driver, timers, limits } = this.#parts
    table.set(id, flag.isOpen)
    timers.stop(table.deadlines[slotOf(id)] ?? -1)
    driver.open(id)
    if (table.has(id, flag.isMute)) this.startDeadline(id, limits.lingerMs)
    else table.handler(id).onOpen(id)
    if (!table.isAlive(id)) return
    if (!table.has(id, flag.isPaused)) driver.startReceive(id)
    if ((table.pending[slotOf(id)] ?? 0) > 0 || table.has(id, flag.wantsEnd)) this.markDirty(id)
    this.flushDirty()
  }

  /** The kernel told of an error. Who writes to a connection that was reset may be told EPIPE. */
  failed(id: ConnectionId, errno: number): void {
    this.finish(id, errno === errnos.EPIPE ? errnos.ECONNRESET : errno)
  }

  received(id: ConnectionId, buffer: number, length: number): void {
    const { table, pool, idle } = this.#parts
    if (!table.isAlive(id) || table.has(id, flag.isMute)) {
      pool.release(buffer)
      return
    }
    const slot = slotOf(id)
    idle.touch(slot, this.#nowMs)
    const offset = pool.startOf(buffer)
    if (table.has(id, flag.isPaused) || !this.#held.isEmpty(slot)) {
      this.#held.push(slot, buffer, offset, length)
    } else this.#deliver(id, buffer, offset, length)
  }

  ended(id: ConnectionId): void {
    const { table } = this.#parts
    if (!table.isAlive(id)) return
    table.set(id, flag.hasEnded)
    if (table.has(id, flag.isPaused) || !this.#held.isEmpty(slotOf(id))) return
    this.#deliverEnd(id)
  }

  sent(id: ConnectionId, length: number): void {
    const { table, outbox, idle, limits } = this.#parts
    table.clear(id, flag.isSending)
    if (!table.isAlive(id)) return
    const slot = slotOf(id)
    idle.touch(slot, this.#nowMs)
    outbox.consume(id, length)
    if (!outbox.queue.isEmpty(slot) || table.has(id, flag.wantsEnd)) this.markDirty(id)
    if (table.has(id, flag.owesDrain) && (table.pending[slot] ?? 0) <= limits.pendingBytes / 2) {
      table.clear(id, flag.owesDrain)
      if (!table.has(id, flag.isMute)) table.handler(id).onDrain(id)
    }
    this.flushDirty()
  }

  /** Ends a connection for `errno`; other than 0 as a reset. `onClose` comes when the driver is done. */
  finish(id: ConnectionId, errno: number): void {
    const { table, pool, idle, timers, driver } = this.#parts
    if (!table.isAlive(id)) return
    const slot = slotOf(id)
    table.set(id, flag.isDying)
    table.errnos[slot] = errno
    timers.stop(table.deadlines[slot] ?? -1)
    idle.forget(slot)
    while (!this.#held.isEmpty(slot)) pool.release(this.#held.shift(slot))
    if (errno !== 0) resetOnClose(table.fd(id))
    driver.close(id)
  }

  /** The driver holds nothing of the connection any more. */
  closed(id: ConnectionId): void {
    this.#parts.outbox.drop(id)
    this.#closed.push(id)
  }

  pause(id: ConnectionId): void {
    const { table, driver } = this.#parts
    if (!table.isAlive(id) || table.has(id, flag.isMute | flag.isPaused)) return
    table.set(id, flag.isPaused)
    driver.stopReceive(id)
  }

  resume(id: ConnectionId): void {
    const { table } = this.#parts
    if (!table.isAlive(id) || !table.has(id, flag.isPaused)) return
    table.clear(id, flag.isPaused)
    if (table.has(id, flag.isResumed) || !table.has(id, flag.isOpen)) return
    table.set(id, flag.isResumed)
    this.#resumed.push(id)
  }

  shutdown(id: ConnectionId): void {
    const { table } = this.#parts
    if (!table.isAlive(id) || table.has(id, flag.wantsEnd)) return
    table.set(id, flag.wantsEnd)
    this.markDirty(id)
  }

  close(id: ConnectionId): void {
    const { table, pool, limits } = this.#parts
    if (!table.isAlive(id) || table.has(id, flag.isMute)) return
    this.shutdown(id)
    const slot = slotOf(id)
    while (!this.#held.isEmpty(slot)) pool.release(this.#held.shift(slot))
    this.resume(id)
    table.set(id, flag.isMute)
    if (table.has(id, flag.hasEnded)) table.set(id, flag.isEndDelivered)
    if (table.has(id, flag.isOpen)) this.startDeadline(id, limits.lingerMs)
  }

  /** Ends the connection with ETIMEDOUT unless it opens, or closes, before. */
  startDeadline(id: ConnectionId, delayMs: number): void {
    const { table, timers } = this.#parts
    const slot = slotOf(id)
    timers.stop(table.deadlines[slot] ?? -1)
    table.deadlines[slot] = timers.start(delayMs, id, this.#onDeadline)
  }

  /** Bytes or the end wait to be sent, as soon as the connection is open. */
  markDirty(id: ConnectionId): void {
    const { table } = this.#parts
    if (table.has(id, flag.isDirty)) return
    table.set(id, flag.isDirty)
    this.#dirty.push(id)
  }

  /** Delivers what was held back and starts what was asked for since the last turn. */
  flush(): void {
    const resumed = this.#resumed
    if (resumed.length > 0) {
      this.#resumed = []
      for (const id of resumed) this.#continue(id)
    }
    this.flushDirty()
  }

  /** Tells handlers of connections that are closed: at the end of a turn, so that nothing follows. */
  flushClosed(): void {
    const { table } = this.#parts
    while (this.#closed.length > 0) {
      const closed = this.#closed
      this.#closed = []
      for (const id of closed) {
        const handler = table.handler(id)
        const errno = table.errnos[slotOf(id)] ?? 0
        table.release(id)
        handler.onClose(id, errno)
      }
    }
  }

  /** Sends what is waiting on connections that can send. */
  flushDirty(): void {
    const { table, outbox, driver } = this.#parts
    // The list may grow meanwhile, and a driver that sends at once comes back to here.
    for (let id = this.#dirty.pop(); id !== undefined; id = this.#dirty.pop()) {
      table.clear(id, flag.isDirty)
      if (!table.isAlive(id) || table.has(id, flag.isSending) || !table.has(id, flag.isOpen))
        continue
      if (!outbox.queue.isEmpty(slotOf(id))) driver.startSend(id)
      else if (table.has(id, flag.wantsEnd)) this.#sendEnd(id)
    }
  }

  #deliver(id: ConnectionId, buffer: number, offset: number, length: number): void {
    const { table, pool } = this.#parts
    this.#delivered = buffer
    try {
      table.handler(id).onData(id, pool.memory, offset, length)
    } finally {
      this.#delivered = -1
      pool.release(buffer)
    }
    this.flushDirty()
  }

  #deliverEnd(id: ConnectionId): void {
    const { table } = this.#parts
    if (table.has(id, flag.isEndDelivered) && !table.has(id, flag.isMute)) return
    table.set(id, flag.isEndDelivered)
    if (!table.has(id, flag.isMute)) table.handler(id).onEnd(id)
    if (table.isAlive(id) && table.has(id, flag.isEndSent)) this.finish(id, 0)
    this.flushDirty()
  }

  /** A connection that was resumed: first what was held back, then what comes. */
  #continue(id: ConnectionId): void {
    const { table, driver } = this.#parts
    if (!table.isAlive(id)) return
    table.clear(id, flag.isResumed)
    const slot = slotOf(id)
    const held = this.#held
    while (!held.isEmpty(slot) && !table.has(id, flag.isPaused)) {
      const segment = held.first(slot)
      const offset = held.offsetOf(segment)
      const length = held.lengthOf(segment)
      this.#deliver(id, held.shift(slot), offset, length)
      if (!table.isAlive(id)) return
    }
    if (table.has(id, flag.isPaused)) return
    if (table.has(id, flag.hasEnded)) this.#deliverEnd(id)
    else driver.startReceive(id)
  }

  /** After the last byte. When the peer has ended as well, closing sends the FIN. */
  #sendEnd(id: ConnectionId): void {
    const { table } = this.#parts
    if (table.has(id, flag.isEndSent)) return
    table.set(id, flag.isEndSent)
    if (table.has(id, flag.isEndDelivered)) this.finish(id, 0)
    else systemCalls().shutdown(table.fd(id), shutdownWrite)
  }

  readonly #onDeadline = (id: ConnectionId): void => {
    const { table, kick } = this.#parts
    if (!table.isAlive(id)) return
    this.finish(id, errnos.ETIMEDOUT)
    kick()
  }
}
