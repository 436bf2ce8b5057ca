import { type ConnectionId, slotOf } from '../connection-id.ts'
import type { DatagramHandler, DatagramOptions, DatagramSocket } from '../datagram.ts'
import { IdleWatch } from '../idle-watch.ts'
import { LeaseTable } from '../lease-table.ts'
import type {
  ConnectOptions,
  EngineName,
  Lease,
  Listener,
  ListenOptions,
  Reactor,
  ReactorCounts,
  ReactorLimits,
  TimerId,
} from '../reactor.ts'
import { ReactorError, refuseEnded } from '../reactor-error.ts'
import type { EngineSettings } from '../reactor-options.ts'
import type { SocketAddress } from '../socket-address.ts'
import { errnos, type StreamHandler } from '../stream-handler.ts'
import { Timers } from '../timers.ts'
import { BufferPool, bufferBytes } from './buffer-pool.ts'
import { BufferRelief } from './buffer-relief.ts'
import { ConnectionTable, flag } from './connection-table.ts'
import { Datagrams } from './datagrams.ts'
import type { Driver, DriverEvents, DriverParts } from './driver.ts'
import { Listeners } from './listeners.ts'
import { openConnectSocket } from './open-socket.ts'
import { originalDestination } from './original-destination.ts'
import { Outbox } from './outbox.ts'
import { addressOfSocket, encodeSocketAddress, socketAddressRoom } from './socket-address-bytes.ts'
import { Streams } from './streams.ts'
import { systemCalls } from './system-calls.ts'
import { TurnLoop } from './turn-loop.ts'

/** A turn that blocks ends after this, so that Node's own timers and messages get their turn. */
const longestWaitMs = 100

/** How an engine is opened. */
export type OpenDriver = (parts: DriverParts, events: DriverEvents) => Driver

/** The reactor on descriptors: everything but the operations themselves, which are the driver's. */
export class DescriptorReactor implements Reactor {
  readonly engine: EngineName
  readonly reason: string
  readonly limits: ReactorLimits
  readonly closed: Promise<void>
  readonly #settings: EngineSettings
  readonly #table: ConnectionTable
  readonly #pool: BufferPool
  readonly #outbox: Outbox
  readonly #driver: Driver
  readonly #streams: Streams
  readonly #listeners: Listeners
  readonly #datagrams: Datagrams
  readonly #timers: Timers
  readonly #idle: IdleWatch
  readonly #relief: BufferRelief
  readonly #leases = new LeaseTable<number>()
  readonly #loop: TurnLoop
  readonly #address = new Uint8Array(socketAddressRoom)
  #isEnding = false
  #isInTurn = false
  #settle: { resolve: () => void; reject: (error: Error) => void }

  constructor(settings: EngineSettings, reason: string, open: OpenDriver, signal: AbortSignal) {
    const { limits, isChecked, isBlocking } = settings
    this.reason = reason
    this.limits = limits
    this.#settings = settings
    this.#table = new ConnectionTable(limits.connections)
    this.#pool = new BufferPool(
      Math.ceil(limits.receiveBytes / bufferBytes),
      Math.ceil(limits.copyBytes / bufferBytes),
      isChecked,
    )
    this.#outbox = new Outbox(this.#table, this.#pool, limits.connections)
    const parts = { table: this.#table, pool: this.#pool, outbox: this.#outbox }
    this.#driver = open({ ...parts, isBlocking }, this.#events())
    this.engine = this.#driver.name
    this.#timers = new Timers(limits.tickMs, isBlocking)
    this.#idle = new IdleWatch(limits.connections, this.#timers, (id) => {
      if (!this.#table.has(id, flag.isMute)) this.#table.handler(id).onTimeout(id)
    })
    this.#streams = new Streams({
      ...parts,
      driver: this.#driver,
      timers: this.#timers,
      idle: this.#idle,
      limits,
      kick: () => this.#kick(),
    })
    this.#relief = new BufferRelief(this.#pool, this.#table, this.#timers, (id) => {
      this.#streams.finish(id, errnos.ENOBUFS)
      this.#kick()
    })
    this.#listeners = new Listeners(this.#driver, this.#table, this.#streams, this.#timers)
    this.#datagrams = new Datagrams(this.#driver, isChecked, () => this.#kick())
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.closed = promise
    this.#settle = { resolve, reject }
    this.#loop = new TurnLoop(this.#driver.pollDescriptor, isBlocking, (mayWait) =>
      this.#turn(mayWait),
    )
    if (signal.aborted) this.#end()
    else signal.addEventListener('abort', () => this.#end(), { once: true })
  }

  get counts(): ReactorCounts {
    return {
      connections: this.#table.slots.count,
      listeners: this.#listeners.count,
      datagramSockets: this.#datagrams.count,
      timers: this.#timers.count,
      buffers: this.#pool.usedCount,
    }
  }

  async listen(
    address: SocketAddress,
    options: ListenOptions,
    handler: StreamHandler,
  ): Promise<Listener> {
    refuseEnded(this.#isEnding, 'listen')
    const listener = this.#listeners.open(address, options, handler)
    this.#kick()
    return listener
  }

  connect(address: SocketAddress, options: ConnectOptions, handler: StreamHandler): ConnectionId {
    refuseEnded(this.#isEnding, 'connect')
    const { errno, fd } = tryConnectSocket(address, options, this.#driver.wantsBlocking)
    const id = this.#table.add(fd, handler, 0)
    if (id < 0) {
      if (fd >= 0) systemCalls().close(fd)
      throw new ReactorError('connect', 0, `all ${this.limits.connections} connections are taken`)
    }
    if (fd < 0) {
      this.#table.set(id, flag.isDying)
      this.#table.errnos[slotOf(id)] = errno
      this.#streams.closed(id)
    } else {
      this.#streams.startDeadline(id, options.timeoutMs)
      this.#driver.connect(id, this.#address, encodeSocketAddress(address, this.#address))
    }
    this.#kick()
    return id
  }

  attach(id: ConnectionId, handler: StreamHandler): void {
    if (this.#table.slots.has(id)) this.#table.attach(id, handler)
  }

  write(id: ConnectionId, bytes: Uint8Array, offset: number, length: number): boolean {
    if (!this.#canSend(id)) return true
    if (this.#outbox.copy(id, bytes, offset, length)) return this.#afterAppend(id)
    this.#streams.finish(id, errnos.ENOBUFS)
    this.#kick()
    return false
  }

  forward(id: ConnectionId, offset: number, length: number): boolean {
    const buffer = this.#streams.delivered('forward')
    if (!this.#canSend(id)) return true
    this.#outbox.append(id, buffer, offset, length)
    return this.#afterAppend(id)
  }

  keep(): Lease {
    const buffer = this.#streams.delivered('keep')
    this.#pool.retain(buffer)
    return this.#leases.add(buffer)
  }

  send(id: ConnectionId, lease: Lease, offset: number, length: number): boolean {
    const buffer = this.#leases.take(lease)
    const canSend = this.#canSend(id)
    if (canSend) this.#outbox.append(id, buffer, offset, length)
    this.#pool.release(buffer)
    return canSend ? this.#afterAppend(id) : true
  }

  release(lease: Lease): void {
    this.#pool.release(this.#leases.take(lease))
    this.#kick()
  }

  pause(id: ConnectionId): void {
    this.#streams.pause(id)
  }

  resume(id: ConnectionId): void {
    this.#streams.resume(id)
    this.#kick()
  }

  shutdown(id: ConnectionId): void {
    this.#streams.shutdown(id)
    this.#kick()
  }

  close(id: ConnectionId): void {
    this.#streams.close(id)
    this.#kick()
  }

  reset(id: ConnectionId): void {
    this.#streams.finish(id, errnos.ECONNABORTED)
    this.#kick()
  }

  pendingBytes(id: ConnectionId): number {
    return this.#table.slots.has(id) ? (this.#table.pending[slotOf(id)] ?? 0) : 0
  }

  setIdleTimeout(id: ConnectionId, timeoutMs: number): void {
    if (this.#table.isAlive(id)) this.#idle.watch(id, timeoutMs)
  }

  peerAddress(id: ConnectionId): SocketAddress | undefined {
    return this.#table.isAlive(id) ? addressOfSocket(this.#table.fd(id), 'peer') : undefined
  }

  localAddress(id: ConnectionId): SocketAddress | undefined {
    return this.#table.isAlive(id) ? addressOfSocket(this.#table.fd(id), 'local') : undefined
  }

  originalDestination(id: ConnectionId): SocketAddress | undefined {
    return this.#table.isAlive(id) ? originalDestination(this.#table.fd(id)) : undefined
  }

  startTimer(delayMs: number, tag: number, fire: (tag: number) => void): TimerId {
    return this.#timers.start(delayMs, tag, fire)
  }

  stopTimer(timer: TimerId): void {
    this.#timers.stop(timer)
  }

  async openDatagram(options: DatagramOptions, handler: DatagramHandler): Promise<DatagramSocket> {
    refuseEnded(this.#isEnding, 'open UDP')
    const socket = this.#datagrams.open(options, handler)
    this.#kick()
    return socket
  }

  #events(): DriverEvents {
    return {
      accepted: (listener, fd) => this.#listeners.accepted(listener, fd),
      acceptFailed: (listener, errno) => this.#listeners.failed(listener, errno),
      connected: (id, errno) => {
        if (!this.#table.isAlive(id)) return
        if (errno === 0) this.#streams.opened(id)
        else this.#streams.failed(id, errno)
      },
      received: (id, buffer, length) => this.#streams.received(id, buffer, length),
      starved: () => {
        if (!this.#isEnding) this.#relief.starved()
      },
      ended: (id) => this.#streams.ended(id),
      failed: (id, errno) => this.#streams.failed(id, errno),
      sent: (id, length) => this.#streams.sent(id, length),
      closed: (id) => this.#streams.closed(id),
      datagramReadable: (socket) => this.#datagrams.readable(socket),
    }
  }

  #canSend(id: ConnectionId): boolean {
    return this.#table.isAlive(id) && !this.#table.has(id, flag.wantsEnd)
  }

  #afterAppend(id: ConnectionId): boolean {
    this.#streams.markDirty(id)
    this.#kick()
    const pending = this.#table.pending[slotOf(id)] ?? 0
    const isAllowed = this.#outbox.receivedCount(id) <= this.#relief.allowance
    if (pending <= this.limits.pendingBytes && isAllowed) return true
    this.#table.set(id, flag.owesDrain)
    if (pending > 4 * this.limits.pendingBytes) this.#streams.finish(id, errnos.ENOBUFS)
    return false
  }

  #kick(): void {
    if (!this.#isInTurn) this.#loop.kick()
  }

  /** One turn; tells whether the next has work already. */
  #turn(mayWait: boolean): boolean {
    this.#isInTurn = true
    try {
      const now = performance.now()
      this.#streams.startTurn(now)
      this.#streams.flush()
      this.#datagrams.readWaiting()
      const count = this.#driver.turn(mayWait ? this.#waitMs(now) : 0)
      if (this.#settings.isBlocking) this.#timers.advance(performance.now())
      this.#streams.flush()
      this.#datagrams.flush()
      this.#streams.flushClosed()
      return count > 0 || this.#hasWork()
    } finally {
      this.#isInTurn = false
      if (this.#isEnding) this.#finishEnd()
    }
  }

  #hasWork(): boolean {
    return this.#streams.hasWork || this.#driver.hasWork || this.#datagrams.hasWork
  }

  #waitMs(nowMs: number): number {
    if (this.#hasWork()) return 0
    const timerMs = this.#timers.waitMs(nowMs)
    return timerMs < 0 ? longestWaitMs : Math.min(longestWaitMs, Math.ceil(timerMs))
  }

  #end(): void {
    this.#isEnding = true
    this.#listeners.close()
    this.#datagrams.close()
    this.#relief.close()
    for (const id of this.#table.slots.ids()) this.#streams.finish(id, errnos.ECANCELED)
    this.#kick()
  }

  #finishEnd(): void {
    if (this.#table.slots.count > 0 || this.#driver.hasWork) {
      this.#loop.kick()
      return
    }
    this.#loop.close()
    this.#timers.close()
    this.#driver.dispose()
    const error = this.#settings.isChecked ? this.#leases.leftError : undefined
    if (error === undefined) this.#settle.resolve()
    else this.#settle.reject(error)
  }
}

/** Errors of opening the socket are those of the connection, like the others. */
function tryConnectSocket(
  address: SocketAddress,
  options: ConnectOptions,
  isBlocking: boolean,
): { fd: number; errno: number } {
  try {
    return { fd: openConnectSocket(address, options, isBlocking), errno: 0 }
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error
    return { fd: -1, errno: error.errno }
  }
}
