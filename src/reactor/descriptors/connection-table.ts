import { type ConnectionId, slotOf } from '../connection-id.ts'
import type { TimerId } from '../reactor.ts'
import { SlotTable } from '../slot-table.ts'
import type { StreamHandler } from '../stream-handler.ts'

/** Bits of `ConnectionTable.flags`. */
export const flag = {
  /** Connected. */
  isOpen: 1,
  /** The handler wants no bytes. */
  isPaused: 2,
  /** The driver is receiving. */
  isReceiving: 4,
  /** The kernel has told of the peer's FIN. */
  hasEnded: 8,
  /** ... and so has the handler been. */
  isEndDelivered: 16,
  /** `shutdown` was called. */
  wantsEnd: 32,
  /** Our FIN was sent. */
  isEndSent: 64,
  /** `close` was called: the handler hears only of the end. */
  isMute: 128,
  /** The descriptor is being closed. */
  isDying: 256,
  /** The driver is sending, or waits until it can. */
  isSending: 512,
  /** A send returned false. */
  owesDrain: 1024,
  /** Waits in the list of connections that have something to send. */
  isDirty: 2048,
  /** Waits in the list of connections that were resumed. */
  isResumed: 4096,
} as const

/** What is known of each connection, by slot. */
export class ConnectionTable {
  readonly slots: SlotTable
  readonly fds: Int32Array
  readonly flags: Int32Array
  readonly errnos: Int32Array
  /** Bytes that wait to be sent. */
  readonly pending: Int32Array
  /** Ends connecting or lingering; -1: none. */
  readonly deadlines: Float64Array
  readonly #handlers: (StreamHandler | undefined)[] = []

  constructor(limit: number) {
    this.slots = new SlotTable(limit)
    this.fds = new Int32Array(limit).fill(-1)
    this.flags = new Int32Array(limit)
    this.errnos = new Int32Array(limit)
    this.pending = new Int32Array(limit)
    this.deadlines = new Float64Array(limit)
  }

  /** Registers a descriptor; -1 when the table is full. */
  add(fd: number, handler: StreamHandler, flags: number): ConnectionId {
    const id = this.slots.take()
    if (id < 0) return -1
    const slot = slotOf(id)
    this.fds[slot] = fd
    this.flags[slot] = flags
    this.errnos[slot] = 0
    this.pending[slot] = 0
    this.deadlines[slot] = -1 as TimerId
    this.#handlers[slot] = handler
    return id
  }

  /** The connection is there and not being closed. */
  isAlive(id: ConnectionId): boolean {
    return this.slots.has(id) && !this.has(id, flag.isDying)
  }

  has(id: ConnectionId, bits: number): boolean {
    return ((this.flags[slotOf(id)] ?? 0) & bits) !== 0
  }

  set(id: ConnectionId, bits: number): void {
    const slot = slotOf(id)
    this.flags[slot] = (this.flags[slot] ?? 0) | bits
  }

  clear(id: ConnectionId, bits: number): void {
    const slot = slotOf(id)
    this.flags[slot] = (this.flags[slot] ?? 0) & ~bits
  }

  fd(id: ConnectionId): number {
    return this.fds[slotOf(id)] ?? -1
  }

  handler(id: ConnectionId): StreamHandler {
    const handler = this.#handlers[slotOf(id)]
    if (handler === undefined) throw new Error(`reactor: connection ${id} has no handler`)
    return handler
  }

  attach(id: ConnectionId, handler: StreamHandler): void {
    this.#handlers[slotOf(id)] = handler
  }

  release(id: ConnectionId): void {
    this.#handlers[slotOf(id)] = undefined
    this.fds[slotOf(id)] = -1
    this.slots.release(id)
  }
}
