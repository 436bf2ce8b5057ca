import { type ConnectionId, slotOf } from '../connection-id.ts'
import { type BufferPool, bufferBytes } from '../descriptors/buffer-pool.ts'
import { type ConnectionTable, flag } from '../descriptors/connection-table.ts'
import type { Driver, DriverEvents, DriverParts } from '../descriptors/driver.ts'
import { socketError } from '../descriptors/open-socket.ts'
import { SegmentVector } from '../descriptors/segment-vector.ts'
import { messageFlags, socketTypes } from '../descriptors/socket-constants.ts'
import { systemCalls } from '../descriptors/system-calls.ts'
import { errnos } from '../stream-handler.ts'
import { epollEvents } from './epoll-constants.ts'
import { EpollSet, watched } from './epoll-set.ts'

/** Connections that one listener brings in a turn: others wait no longer. */
const acceptsAtOnce = 64

/** EINPROGRESS: the connection is being made. asm-generic/errno.h */
const inProgress = 115

const acceptFlags = socketTypes.SOCK_NONBLOCK | socketTypes.SOCK_CLOEXEC

const { EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLET, EPOLLHUP, EPOLLRDHUP } = epollEvents

/** What is known of a connection's descriptor, by slot. */
const state = {
  /** May have bytes. */
  isReadable: 1,
  /** The end, or an error, was announced: a short read is not the last one. */
  isEnding: 2,
  /** The kernel may take bytes. */
  isWritable: 4,
  /** Is in the set. */
  isWatched: 8,
  /** Waits to be read in the next turn. */
  isQueued: 16,
} as const

/** The engine on epoll, edge-triggered: a socket is registered once and its state is remembered, so that pausing
 *  and resuming cost no system call. A read that brings less than its room has emptied the socket, unless the end
 *  was announced with it. epoll(7) */
export class EpollDriver implements Driver {
  readonly name = 'epoll'
  readonly wantsBlocking = false
  readonly #set = new EpollSet()
  readonly #table: ConnectionTable
  readonly #pool: BufferPool
  readonly #events: DriverEvents
  readonly #vector: SegmentVector
  readonly #states: Uint8Array
  readonly #listeners = new Map<number, number>()
  /** Free receive buffers, the one used last on top: it is still in the processor's cache. */
  readonly #buffers: number[] = []
  #ready: ConnectionId[] = []
  /** Connections for which there was no buffer. */
  #starved: ConnectionId[] = []

  constructor(parts: DriverParts, events: DriverEvents) {
    this.#table = parts.table
    this.#pool = parts.pool
    this.#events = events
    this.#vector = new SegmentVector(parts.pool, parts.outbox.queue, 1)
    this.#states = new Uint8Array(parts.table.fds.length)
    for (let buffer = this.#pool.receiveCount - 1; buffer >= 0; buffer--) this.#buffers.push(buffer)
    this.#pool.onReceiveFree = this.#onReceiveFree
  }

  get pollDescriptor(): number {
    return this.#set.descriptor
  }

  get hasWork(): boolean {
    return this.#ready.length > 0
  }

  watchListener(listener: number, fd: number): void {
    this.#listeners.set(listener, fd)
    this.#set.add(fd, EPOLLIN, watched.listener, listener)
  }

  unwatchListener(listener: number, fd: number): void {
    this.#listeners.delete(listener)
    this.#set.remove(fd)
  }

  connect(id: ConnectionId, address: Uint8Array, length: number): void {
    const calls = systemCalls()
    const fd = this.#table.fd(id)
    const errno = calls.connect(fd, address, length) === 0 ? 0 : calls.errno()
    this.#states[slotOf(id)] = 0
    // Epoll tells what came of it, at once if it is known.
    if (errno === 0 || errno === inProgress) this.#watch(id)
    else this.#events.connected(id, errno)
  }

  open(id: ConnectionId): void {
    const slot = slotOf(id)
    const isOurs = this.#is(slot, state.isWatched)
    if (!isOurs) this.#states[slot] = 0
    this.#mark(slot, state.isWritable)
    if (!isOurs) this.#watch(id)
  }

  startReceive(id: ConnectionId): void {
    if (this.#table.has(id, flag.isReceiving)) return
    this.#table.set(id, flag.isReceiving)
    this.#queue(id)
  }

  stopReceive(id: ConnectionId): void {
    this.#table.clear(id, flag.isReceiving)
  }

  startSend(id: ConnectionId): void {
    this.#table.set(id, flag.isSending)
    if (this.#is(slotOf(id), state.isWritable)) this.#send(id)
  }

  close(id: ConnectionId): void {
    this.#states[slotOf(id)] = 0
    // Closing takes it off the set as well.
    systemCalls().close(this.#table.fd(id))
    this.#events.closed(id)
  }

  watchDatagram(socket: number, fd: number): void {
    this.#set.add(fd, EPOLLIN | EPOLLET, watched.datagram, socket)
  }

  unwatchDatagram(_socket: number, fd: number): void {
    this.#set.remove(fd)
  }

  turn(waitMs: number): number {
    const ready = this.#ready
    this.#ready = []
    for (const id of ready) {
      if (!this.#table.isAlive(id)) continue
      this.#unmark(slotOf(id), state.isQueued)
      this.#receive(id)
    }
    const set = this.#set
    const count = set.wait(this.#ready.length > 0 ? 0 : waitMs)
    for (let index = 0; index < count; index++) {
      const value = set.value(index)
      const kind = set.kind(index)
      if (kind === watched.stream) this.#streamEvent(value, set.events(index))
      else if (kind === watched.listener) this.#accept(value)
      else this.#events.datagramReadable(value)
    }
    return count + ready.length
  }

  dispose(): void {
    this.#set.close()
  }

  #watch(id: ConnectionId): void {
    this.#mark(slotOf(id), state.isWatched)
    const events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET
    this.#set.add(this.#table.fd(id), events, watched.stream, id)
  }

  #streamEvent(id: ConnectionId, events: number): void {
    const table = this.#table
    if (!table.isAlive(id)) return
    if (!table.has(id, flag.isOpen)) {
      const errno = socketError(table.fd(id))
      if (errno === 0 && (events & EPOLLOUT) === 0) return
      this.#events.connected(id, errno)
    } else if ((events & EPOLLOUT) !== 0) {
      this.#mark(slotOf(id), state.isWritable)
      if (table.has(id, flag.isSending)) this.#send(id)
    }
    if (!table.isAlive(id)) return
    const slot = slotOf(id)
    if ((events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) !== 0) {
      this.#mark(slot, state.isReadable | state.isEnding)
    } else if ((events & EPOLLIN) !== 0) this.#mark(slot, state.isReadable)
    else return
    if (table.has(id, flag.isReceiving)) this.#receive(id)
    // Nobody reads: a reset would go unnoticed until somebody does.
    else if ((events & EPOLLERR) !== 0) {
      this.#events.failed(id, socketError(table.fd(id)) || errnos.ECONNRESET)
    }
  }

  #receive(id: ConnectionId): void {
    const table = this.#table
    const slot = slotOf(id)
    if (!table.has(id, flag.isReceiving) || !this.#is(slot, state.isReadable)) return
    const buffer = this.#buffers.pop()
    if (buffer === undefined) {
      this.#starved.push(id)
      this.#events.starved()
      return
    }
    const calls = systemCalls()
    const length = calls.recv(table.fd(id), this.#pool.addressOf(buffer), bufferBytes, 0)
    if (length > 0) {
      if (length < bufferBytes && !this.#is(slot, state.isEnding)) {
        this.#unmark(slot, state.isReadable)
      }
      this.#pool.use(buffer)
      this.#events.received(id, buffer, length)
      if (table.isAlive(id)) this.#queue(id)
      return
    }
    const errno = length === 0 ? 0 : calls.errno()
    this.#buffers.push(buffer)
    if (errno === errnos.EINTR) this.#queue(id)
    else if (errno === errnos.EAGAIN) this.#unmark(slot, state.isReadable | state.isEnding)
    else if (errno !== 0) this.#events.failed(id, errno)
    else {
      this.#unmark(slot, state.isReadable)
      table.clear(id, flag.isReceiving)
      this.#events.ended(id)
    }
  }

  #send(id: ConnectionId): void {
    const calls = systemCalls()
    const fd = this.#table.fd(id)
    const vector = this.#vector
    const count = vector.load(slotOf(id), 0)
    const sent =
      count === 1
        ? calls.send(fd, vector.firstAddress, vector.byteCount, messageFlags.MSG_NOSIGNAL)
        : calls.sendmsg(fd, vector.messageAddress(0), messageFlags.MSG_NOSIGNAL)
    const errno = sent < 0 ? calls.errno() : 0
    // Without more room the kernel tells when there is some.
    if (errno === errnos.EAGAIN || (errno === 0 && sent < vector.byteCount)) {
      this.#unmark(slotOf(id), state.isWritable)
    }
    if (errno === 0) this.#events.sent(id, sent)
    else if (errno === errnos.EINTR) this.#send(id)
    else if (errno !== errnos.EAGAIN) this.#events.failed(id, errno)
  }

  #accept(listener: number): void {
    const calls = systemCalls()
    for (let turn = 0; turn < acceptsAtOnce; turn++) {
      // A callback may have closed it.
      const fd = this.#listeners.get(listener)
      if (fd === undefined) return
      const accepted = calls.accept4(fd, null, null, acceptFlags)
      if (accepted < 0) {
        const errno = calls.errno()
        if (errno !== errnos.EAGAIN) this.#events.acceptFailed(listener, errno)
        return
      }
      this.#events.accepted(listener, accepted)
    }
  }

  /** Reads on in the next turn, if there may be something to read. */
  #queue(id: ConnectionId): void {
    const slot = slotOf(id)
    if (!this.#is(slot, state.isReadable) || this.#is(slot, state.isQueued)) return
    this.#mark(slot, state.isQueued)
    this.#ready.push(id)
  }

  #is(slot: number, bit: number): boolean {
    return ((this.#states[slot] ?? 0) & bit) !== 0
  }

  #mark(slot: number, bits: number): void {
    this.#states[slot] = (this.#states[slot] ?? 0) | bits
  }

  #unmark(slot: number, bits: number): void {
    this.#states[slot] = (this.#states[slot] ?? 0) & ~bits
  }

  readonly #onReceiveFree = (buffer: number): void => {
    this.#buffers.push(buffer)
    if (this.#starved.length === 0) return
    const starved = this.#starved
    this.#starved = []
    for (const id of starved) if (this.#table.isAlive(id)) this.#queue(id)
  }
}
