import { type ConnectionId, slotOf } from '../connection-id.ts'
import { type BufferPool, bufferBytes } from '../descriptors/buffer-pool.ts'
import { type ConnectionTable, flag } from '../descriptors/connection-table.ts'
import type { Driver, DriverEvents, DriverParts } from '../descriptors/driver.ts'
import { SegmentVector } from '../descriptors/segment-vector.ts'
import { socketAddressRoom } from '../descriptors/socket-address-bytes.ts'
import { fileFlags, messageFlags, socketTypes } from '../descriptors/socket-constants.ts'
import { type Pointer, systemCalls, writePointer } from '../descriptors/system-calls.ts'
import { epollEvents } from '../epoll/epoll-constants.ts'
import { errnos } from '../stream-handler.ts'
import { bufferGroup, ReceiveBuffers } from './receive-buffers.ts'
import { Ring, submissionCount } from './ring.ts'
import {
  bufferShift,
  entryFlags,
  operationFlags,
  operations,
  ringFlags,
  submissionWords,
} from './uring-constants.ts'
import { WakeUp } from './wake-up.ts'

/** What an operation is, in the upper half of its data; the lower half is the connection, listener or socket. */
const kinds = { cancel: 0, receive: 1, send: 2, connect: 3, accept: 4, datagram: 5 } as const

/** What the kernel holds of a connection, by slot. */
const state = {
  isReceiving: 1,
  /** The receive that is under way is being cancelled. */
  isCancelling: 2,
  isSending: 4,
  isConnecting: 8,
  isClosing: 16,
  /** The last receive filled its buffer: there is more. */
  isBulky: 32,
} as const

/** A receive that goes on by itself takes up to 32 buffers (MULTISHOT_MAX_RETRY in the kernel's io_uring/net.c)
 *  before we can stop it: cheap for many small messages and for much data, but a peer that does not read then has
 *  as many. So many must be free besides a quarter of all; where buffers are filled, besides three quarters. Else
 *  each receive takes one. */
const burstBuffers = 64

const anyOperation = state.isReceiving | state.isSending | state.isConnecting

const { header, address, length, offset, operationFlags: flagsWord } = submissionWords

/** The engine on io_uring: one system call submits all operations of a turn and brings all completions. A receive
 *  goes on by itself (multishot) and takes a buffer only when there are bytes. io_uring(7), io_uring_enter(2) */
export class UringDriver implements Driver {
  readonly name = 'uring'
  /** A non-blocking socket is told EAGAIN instead of being waited for. */
  readonly wantsBlocking = true
  readonly #ring: Ring
  readonly #table: ConnectionTable
  readonly #pool: BufferPool
  readonly #events: DriverEvents
  readonly #vector: SegmentVector
  readonly #buffers: ReceiveBuffers
  readonly #wakeUp: WakeUp | undefined
  /** Addresses to connect to, one for each place of the ring. */
  readonly #addresses = Buffer.alloc(submissionCount * socketAddressRoom)
  readonly #addressesAt: Pointer
  readonly #states: Uint8Array
  /** Descriptors by the number of their listener or socket. */
  readonly #listeners = new Map<number, number>()
  readonly #datagrams = new Map<number, number>()
  /** Connections for which there was no buffer. */
  #starved: ConnectionId[] = []
  /** Connections on which a receive that goes on by itself has filled a buffer in this turn. */
  readonly #bulky: ConnectionId[] = []

  /** Throws ReactorError where io_uring cannot be used. */
  constructor(parts: DriverParts, events: DriverEvents) {
    this.#ring = new Ring()
    this.#table = parts.table
    this.#pool = parts.pool
    this.#events = events
    this.#vector = new SegmentVector(parts.pool, parts.outbox.queue, submissionCount)
    try {
      this.#buffers = new ReceiveBuffers(this.#ring.descriptor, parts.pool)
      this.#wakeUp = parts.isBlocking ? undefined : new WakeUp(this.#ring)
    } catch (error) {
      this.#ring.close()
      throw error
    }
    this.#addressesAt = systemCalls().pointerTo(this.#addresses)
    this.#states = new Uint8Array(parts.table.fds.length)
    this.#pool.onReceiveFree = this.#onReceiveFree
  }

  get pollDescriptor(): number {
    return this.#wakeUp?.descriptor ?? this.#ring.descriptor
  }

  get hasWork(): boolean {
    return this.#ring.pendingCount > 0 || this.#ring.hasCompletions
  }

  watchListener(listener: number, fd: number): void {
    const { fcntl } = systemCalls()
    fcntl(fd, fileFlags.F_SETFL, fcntl(fd, fileFlags.F_GETFL, 0) & ~fileFlags.O_NONBLOCK)
    this.#listeners.set(listener, fd)
    this.#accept(listener, fd)
  }

  unwatchListener(listener: number): void {
    this.#listeners.delete(listener)
    this.#cancelNow(kinds.accept, listener)
  }

  connect(id: ConnectionId, bytes: Uint8Array, byteCount: number): void {
    const { words } = this.#ring
    const fd = this.#table.fd(id)
    const at = this.#ring.prepare(operations.IORING_OP_CONNECT, 0, fd, kinds.connect, id)
    const start = (at / submissionWords.size) * socketAddressRoom
    this.#addresses.set(bytes.subarray(0, byteCount), start)
    writePointer(words, at + address, this.#addressesAt + start)
    words[at + offset] = byteCount
    this.#states[slotOf(id)] = state.isConnecting
  }

  open(id: ConnectionId): void {
    this.#states[slotOf(id)] = 0
  }

  startReceive(id: ConnectionId): void {
    if (this.#table.has(id, flag.isReceiving)) return
    this.#table.set(id, flag.isReceiving)
    if (!this.#is(slotOf(id), state.isReceiving)) this.#receive(id)
  }

  /** Nothing is done before bytes come: most pauses have ended by then. */
  stopReceive(id: ConnectionId): void {
    this.#table.clear(id, flag.isReceiving)
  }

  startSend(id: ConnectionId): void {
    const ring = this.#ring
    const { words } = ring
    const fd = this.#table.fd(id)
    const at = ring.prepare(operations.IORING_OP_SEND, 0, fd, kinds.send, id)
    const place = at / submissionWords.size
    if (this.#vector.load(slotOf(id), place) === 1) {
      writePointer(words, at + address, this.#vector.firstAddress)
      words[at + length] = this.#vector.byteCount
    } else {
      words[at + header] = operations.IORING_OP_SENDMSG
      writePointer(words, at + address, this.#vector.messageAddress(place))
      words[at + length] = 1
    }
    words[at + flagsWord] = messageFlags.MSG_NOSIGNAL
    this.#table.set(id, flag.isSending)
    this.#mark(slotOf(id), state.isSending)
  }

  close(id: ConnectionId): void {
    const slot = slotOf(id)
    this.#mark(slot, state.isClosing)
    if (!this.#is(slot, anyOperation)) {
      this.#close(id)
      return
    }
    const { IORING_ASYNC_CANCEL_FD, IORING_ASYNC_CANCEL_ALL } = operationFlags
    const at = this.#prepareCancel(this.#table.fd(id))
    this.#ring.words[at + flagsWord] = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL
  }

  watchDatagram(socket: number, fd: number): void {
    this.#datagrams.set(socket, fd)
    this.#poll(socket, fd)
  }

  unwatchDatagram(socket: number): void {
    this.#datagrams.delete(socket)
    this.#cancelNow(kinds.datagram, socket)
  }

  turn(waitMs: number): number {
    const ring = this.#ring
    this.#wakeUp?.disarm()
    // Also when nothing is to be submitted: an enter finishes 20 operations at most, and nothing tells of more.
    ring.enter(waitMs)
    const count = ring.take(this.#onCompletion)
    for (let id = this.#bulky.pop(); id !== undefined; id = this.#bulky.pop()) this.#slowDown(id)
    if (count === 0 && ring.pendingCount === 0) this.#wakeUp?.arm()
    return count
  }

  dispose(): void {
    this.#ring.close()
    this.#buffers.close()
    this.#wakeUp?.close()
  }

  #accept(listener: number, fd: number): void {
    const at = this.#ring.prepare(operations.IORING_OP_ACCEPT, 0, fd, kinds.accept, listener)
    const { words } = this.#ring
    words[at + header] = (words[at + header] ?? 0) | (operationFlags.IORING_ACCEPT_MULTISHOT << 16)
    words[at + flagsWord] = socketTypes.SOCK_CLOEXEC
  }

  #poll(socket: number, fd: number): void {
    const at = this.#ring.prepare(operations.IORING_OP_POLL_ADD, 0, fd, kinds.datagram, socket)
    this.#ring.words[at + length] = operationFlags.IORING_POLL_ADD_MULTI
    this.#ring.words[at + flagsWord] = epollEvents.EPOLLIN
  }

  #receive(id: ConnectionId): void {
    const { words } = this.#ring
    const fd = this.#table.fd(id)
    const select = entryFlags.bufferSelect
    const at = this.#ring.prepare(operations.IORING_OP_RECV, select, fd, kinds.receive, id)
    if (this.#mayBurst(id)) {
      words[at + header] = (words[at + header] ?? 0) | (operationFlags.IORING_RECV_MULTISHOT << 16)
    }
    words[at + submissionWords.bufferGroup] = bufferGroup
    this.#mark(slotOf(id), state.isReceiving)
  }

  /** The numbers of closed descriptors are given anew only when the kernel has closed them, thus after this. */
  #close(id: ConnectionId): void {
    const { skipSuccess } = entryFlags
    this.#states[slotOf(id)] = 0
    const fd = this.#table.fd(id)
    this.#ring.prepare(operations.IORING_OP_CLOSE, skipSuccess, fd, kinds.cancel, id)
    this.#events.closed(id)
  }

  #prepareCancel(fd: number): number {
    const { skipSuccess } = entryFlags
    return this.#ring.prepare(operations.IORING_OP_ASYNC_CANCEL, skipSuccess, fd, kinds.cancel, 0)
  }

  /** Cancels an operation by its data. */
  #cancel(kind: number, value: number): void {
    const at = this.#prepareCancel(-1)
    this.#ring.words[at + address] = value
    this.#ring.words[at + address + 1] = kind
  }

  /** The descriptor is about to be closed: the operation holds it no longer than this call. */
  #cancelNow(kind: number, value: number): void {
    this.#cancel(kind, value)
    this.#ring.enter(0)
  }

  readonly #onCompletion = (kind: number, value: number, result: number, flags: number): void => {
    const isLast = (flags & ringFlags.IORING_CQE_F_MORE) === 0
    if (kind === kinds.receive) this.#received(value, result, flags, isLast)
    else if (kind === kinds.send) this.#sent(value, result)
    else if (kind === kinds.accept) this.#accepted(value, result, isLast)
    else if (kind === kinds.connect) this.#connected(value, result)
    else if (kind === kinds.datagram) this.#readable(value, result, isLast)
  }

  #received(id: ConnectionId, result: number, flags: number, isLast: boolean): void {
    const slot = slotOf(id)
    const table = this.#table
    if (isLast) this.#unmark(slot, state.isReceiving | state.isCancelling)
    if (result === bufferBytes) {
      if (!isLast && !this.#is(slot, state.isBulky)) this.#bulky.push(id)
      this.#mark(slot, state.isBulky)
    } else if (result > 0) this.#unmark(slot, state.isBulky)
    if ((flags & ringFlags.IORING_CQE_F_BUFFER) !== 0) {
      const buffer = flags >>> bufferShift
      this.#pool.use(buffer)
      if (result > 0) this.#events.received(id, buffer, result)
      else this.#pool.release(buffer)
    }
    if (this.#endsClosing(id)) return
    if (!table.isAlive(id)) return
    if (result === 0) {
      table.clear(id, flag.isReceiving)
      this.#events.ended(id)
    } else if (result < 0 && !isHarmless(result)) this.#events.failed(id, -result)
    else if (result === -errnos.ENOBUFS && this.#pool.freeReceiveCount === 0) {
      this.#starved.push(id)
      this.#events.starved()
    } else this.#goOn(id, isLast)
  }

  /** Receives on, or has the kernel stop. */
  #goOn(id: ConnectionId, isLast: boolean): void {
    const slot = slotOf(id)
    const isWanted = this.#table.has(id, flag.isReceiving)
    if (isWanted && isLast && !this.#is(slot, state.isReceiving)) this.#receive(id)
    else if (!isWanted && !isLast) this.#stopReceive(id)
  }

  #mayBurst(id: ConnectionId): boolean {
    const { freeReceiveCount, receiveCount } = this.#pool
    const least = this.#is(slotOf(id), state.isBulky) ? 3 / 4 : 1 / 4
    return freeReceiveCount >= receiveCount * least + burstBuffers
  }

  /** One receive for each buffer from now on, if there are few and the last one is still filled. */
  #slowDown(id: ConnectionId): void {
    if (this.#table.isAlive(id) && !this.#mayBurst(id)) this.#stopReceive(id)
  }

  /** Ends the receive that is under way; its last completion comes. */
  #stopReceive(id: ConnectionId): void {
    const slot = slotOf(id)
    if (!this.#is(slot, state.isReceiving) || this.#is(slot, state.isCancelling)) return
    this.#mark(slot, state.isCancelling)
    this.#cancel(kinds.receive, id)
  }

  #sent(id: ConnectionId, result: number): void {
    this.#unmark(slotOf(id), state.isSending)
    if (this.#endsClosing(id)) return
    if (!this.#table.isAlive(id)) return
    if (result >= 0) this.#events.sent(id, result)
    else if (result === -errnos.EINTR || result === -errnos.EAGAIN) this.startSend(id)
    else this.#events.failed(id, -result)
  }

  #connected(id: ConnectionId, result: number): void {
    this.#unmark(slotOf(id), state.isConnecting)
    if (!this.#endsClosing(id)) this.#events.connected(id, -result)
  }

  #accepted(listener: number, result: number, isLast: boolean): void {
    if (result >= 0) this.#events.accepted(listener, result)
    else if (result !== -errnos.ECANCELED) this.#events.acceptFailed(listener, -result)
    const fd = this.#listeners.get(listener)
    if (isLast && fd !== undefined) this.#accept(listener, fd)
  }

  #readable(socket: number, result: number, isLast: boolean): void {
    if (result >= 0) this.#events.datagramReadable(socket)
    const fd = this.#datagrams.get(socket)
    if (isLast && fd !== undefined) this.#poll(socket, fd)
  }

  /** Closes a connection that waits for it, when the kernel holds nothing of it any more. */
  #endsClosing(id: ConnectionId): boolean {
    const slot = slotOf(id)
    if (!this.#is(slot, state.isClosing)) return false
    if (!this.#is(slot, anyOperation)) this.#close(id)
    return true
  }

  readonly #onReceiveFree = (buffer: number): void => {
    this.#buffers.give(buffer)
    if (this.#starved.length === 0) return
    const starved = this.#starved
    this.#starved = []
    for (const id of starved) if (this.#table.isAlive(id)) this.#goOn(id, true)
  }

  #is(slot: number, bits: number): boolean {
    return ((this.#states[slot] ?? 0) & bits) !== 0
  }

  #mark(slot: number, bits: number): void {
    this.#states[slot] = (this.#states[slot] ?? 0) | bits
  }

  #unmark(slot: number, bits: number): void {
    this.#states[slot] = (this.#states[slot] ?? 0) & ~bits
  }
}

/** A receive that ended without saying anything of the connection. */
function isHarmless(result: number): boolean {
  const { ECANCELED, ENOBUFS, EINTR, EAGAIN } = errnos
  return result === -ECANCELED || result === -ENOBUFS || result === -EINTR || result === -EAGAIN
}
