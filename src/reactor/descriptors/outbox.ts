import { copyBytes } from '../../net/copy-bytes.ts'
import { type ConnectionId, slotOf } from '../connection-id.ts'
import { type BufferPool, bufferBytes } from './buffer-pool.ts'
import { type ConnectionTable, flag } from './connection-table.ts'
import { SegmentQueue } from './segment-queue.ts'

/** Parts of received buffers up to this size are copied when they have to wait, so that whoever sends single bytes
 *  to somebody who does not read cannot fill all buffers with them. */
const copiedBytes = bufferBytes / 8

/** Bytes that wait to be sent: parts of received buffers, and copies. Copies of one connection fill a buffer
 *  one after the other. */
export class Outbox {
  readonly queue: SegmentQueue
  readonly #table: ConnectionTable
  readonly #pool: BufferPool
  /** The last segment of each connection is a copy that ends here in the pool's memory, or -1. */
  readonly #copyEnds: Int32Array
  /** Receive buffers that each connection has here. */
  readonly #received: Int32Array

  constructor(table: ConnectionTable, pool: BufferPool, slots: number) {
    this.#table = table
    this.#pool = pool
    this.queue = new SegmentQueue(slots)
    this.#copyEnds = new Int32Array(slots).fill(-1)
    this.#received = new Int32Array(slots)
  }

  /** Receive buffers that wait on a connection; one counts as often as parts of it wait. */
  receivedCount(id: ConnectionId): number {
    return this.#received[slotOf(id)] ?? 0
  }

  /** Appends a part of a buffer, of which it becomes a user; or a copy. */
  append(id: ConnectionId, buffer: number, offset: number, length: number): void {
    const slot = slotOf(id)
    const waits = length <= copiedBytes && !this.queue.isEmpty(slot)
    if (waits && this.copy(id, this.#pool.memory, offset, length)) return
    this.#pool.retain(buffer)
    if (this.#pool.isReceive(buffer)) this.#received[slot] = (this.#received[slot] ?? 0) + 1
    this.queue.push(slot, buffer, offset, length)
    this.#copyEnds[slot] = -1
    this.#table.pending[slot] = (this.#table.pending[slot] ?? 0) + length
  }

  /** Appends a copy; false, and nothing is appended, when there is no buffer for it. */
  copy(id: ConnectionId, bytes: Uint8Array, offset: number, length: number): boolean {
    const slot = slotOf(id)
    if (length > this.#openRoom(slot) + this.#pool.copyRoom) return false
    let from = offset
    while (from < offset + length) {
      const at = this.#roomAt(id)
      const room = this.#pool.endOf(this.#pool.bufferAt(at)) - at
      const take = Math.min(offset + length - from, room)
      copyBytes(bytes, from, this.#pool.memory, at, take)
      this.queue.extend(slot, take)
      this.#copyEnds[slot] = at + take
      this.#table.pending[slot] = (this.#table.pending[slot] ?? 0) + take
      from += take
    }
    return true
  }

  /** The kernel has taken bytes from the head. */
  consume(id: ConnectionId, length: number): void {
    const slot = slotOf(id)
    this.#table.pending[slot] = (this.#table.pending[slot] ?? 0) - length
    let rest = length
    while (rest > 0) {
      const head = this.queue.first(slot)
      const size = this.queue.lengthOf(head)
      if (rest < size) {
        this.queue.advance(slot, rest)
        return
      }
      rest -= size
      this.#shift(slot)
    }
    if (this.queue.isEmpty(slot)) this.#copyEnds[slot] = -1
  }

  /** Drops everything. Nothing of it may be in the kernel's hands. */
  drop(id: ConnectionId): void {
    const slot = slotOf(id)
    while (!this.queue.isEmpty(slot)) this.#shift(slot)
    this.#copyEnds[slot] = -1
    this.#table.pending[slot] = 0
  }

  #shift(slot: number): void {
    const buffer = this.queue.shift(slot)
    if (this.#pool.isReceive(buffer)) this.#received[slot] = (this.#received[slot] ?? 0) - 1
    this.#pool.release(buffer)
  }

  /** Bytes that still fit behind the last copy. */
  #openRoom(slot: number): number {
    const open = this.#copyEnds[slot] ?? -1
    return open < 0 ? 0 : this.#pool.endOf(this.#pool.bufferAt(open)) - open
  }

  /** Where the next copy goes; the last segment ends there. */
  #roomAt(id: ConnectionId): number {
    const slot = slotOf(id)
    const open = this.#copyEnds[slot] ?? -1
    if (open >= 0) {
      const buffer = this.#pool.bufferAt(open)
      if (open < this.#pool.endOf(buffer)) {
        // What is being sent must not grow under the kernel's hands.
        if (this.#table.has(id, flag.isSending)) {
          this.#pool.retain(buffer)
          this.queue.push(slot, buffer, open, 0)
        }
        return open
      }
    }
    const buffer = this.#pool.takeCopy()
    const start = this.#pool.startOf(buffer)
    this.queue.push(slot, buffer, start, 0)
    return start
  }
}
