import { createServer, type ServerOpts, Socket } from 'node:net'
import { type ConnectionId, slotOf } from '../connection-id.ts'
import type { DatagramHandler, DatagramOptions, DatagramSocket } from '../datagram.ts'
import { IdleWatch } from '../idle-watch.ts'
import { LeaseTable } from '../lease-table.ts'
import type {
  ConnectOptions,
  Lease,
  Listener,
  ListenOptions,
  Reactor,
  ReactorCounts,
  ReactorLimits,
  TimerId,
} from '../reactor.ts'
import { ReactorError, refuseEnded } from '../reactor-error.ts'
import { type EngineSettings, poison } from '../reactor-options.ts'
import { SlotTable } from '../slot-table.ts'
import { formatSocketAddress, type SocketAddress } from '../socket-address.ts'
import { errnos, type StreamHandler } from '../stream-handler.ts'
import { Timers } from '../timers.ts'
import { type PortableConnection, refuseOptions } from './portable-connection.ts'
import { openPortableDatagram } from './portable-datagram.ts'
import { portableErrno } from './portable-errno.ts'

/** The engine on Node's own sockets: any system, any user. Options that Node has no words for are refused. */
export class PortableReactor implements Reactor {
  readonly engine = 'portable'
  readonly reason: string
  readonly limits: ReactorLimits
  readonly closed: Promise<void>
  readonly #settings: EngineSettings
  readonly #slots: SlotTable
  readonly #connections: (PortableConnection | undefined)[] = []
  readonly #timers: Timers
  readonly #idle: IdleWatch
  readonly #leases = new LeaseTable<Buffer>()
  readonly #closables = new Set<Listener | DatagramSocket>()
  #listenerCount = 0
  /** What `onData` is delivering. */
  #delivered: Buffer | undefined
  #isDeliveredShared = false
  #isEnding = false
  #onClosed: () => void = () => {}

  constructor(settings: EngineSettings, reason: string, signal: AbortSignal) {
    this.reason = reason
    this.limits = settings.limits
    this.#settings = settings
    this.#slots = new SlotTable(settings.limits.connections)
    this.#timers = new Timers(settings.limits.tickMs, false)
    this.#idle = new IdleWatch(settings.limits.connections, this.#timers, (id) => {
      const connection = this.#find(id)
      if (connection?.isMute === false) connection.handler.onTimeout(id)
    })
    this.closed = new Promise((resolve, reject) => {
      this.#onClosed = () => {
        const error = settings.isChecked ? this.#leases.leftError : undefined
        if (error === undefined) resolve()
        else reject(error)
      }
    })
    if (signal.aborted) this.#end()
    else signal.addEventListener('abort', () => this.#end(), { once: true })
  }

  get counts(): ReactorCounts {
    return {
      connections: this.#slots.count,
      listeners: this.#listenerCount,
      datagramSockets: this.#closables.size - this.#listenerCount,
      timers: this.#timers.count,
      buffers: this.#leases.count,
    }
  }

  async listen(
    address: SocketAddress,
    options: ListenOptions,
    handler: StreamHandler,
  ): Promise<Listener> {
    const operation = `listen on ${formatSocketAddress(address)}`
    refuseEnded(this.#isEnding, operation)
    refuseOptions(operation, {
      isTransparent: options.isTransparent === true,
      fastOpenQueue: (options.fastOpenQueue ?? 0) > 0,
      descriptor: options.descriptor !== undefined,
    })
    const server = createServer(this.#serverOptions(options), (socket) => {
      const connection = this.#add(socket, handler)
      if (connection === undefined) return
      connection.isPaused = options.startsPaused ?? false
      this.#open(connection)
    })
    const { promise, resolve, reject } = Promise.withResolvers<Listener>()
    server.on('error', (error) => {
      reject(new ReactorError(operation, portableErrno(error), error.message))
    })
    server.listen(
      {
        host: address.address,
        port: address.port,
        backlog: options.backlog ?? 4096,
        ipv6Only: true,
        reusePort: options.isShared ?? false,
      },
      () => {
        const bound = server.address()
        const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
        const close = () => {
          if (this.#closables.delete(listener)) this.#listenerCount--
          server.close()
        }
        const listener: Listener = { address: { address: address.address, port }, close }
        this.#closables.add(listener)
        this.#listenerCount++
        if (this.#isEnding) close()
        resolve(listener)
      },
    )
    return promise
  }

  connect(address: SocketAddress, options: ConnectOptions, handler: StreamHandler): ConnectionId {
    const operation = `connect to ${formatSocketAddress(address)}`
    refuseEnded(this.#isEnding, operation)
    refuseOptions(operation, {
      isTransparent: options.isTransparent === true,
    })
    const socket = new Socket({ allowHalfOpen: true, ...this.#watermark() })
    const connection = this.#add(socket, handler)
    if (connection === undefined) throw new Error('reactor: no free connection slot')
    connection.deadline = this.#timers.start(options.timeoutMs, connection.id, (id) =>
      this.#abandon(id, errnos.ETIMEDOUT),
    )
    socket.once('connect', () => {
      this.#timers.stop(connection.deadline)
      if (!connection.isMute) this.#open(connection)
    })
    socket.setNoDelay(options.noDelay ?? true)
    const { source, keepAliveSeconds = 0 } = options
    if (keepAliveSeconds > 0) socket.setKeepAlive(true, keepAliveSeconds * 1000)
    socket.connect({
      host: address.address,
      port: address.port,
      ...(source === undefined ? {} : { localAddress: source.address, localPort: source.port }),
    })
    return connection.id
  }

  attach(id: ConnectionId, handler: StreamHandler): void {
    const connection = this.#find(id)
    if (connection !== undefined) connection.handler = handler
  }

  write(id: ConnectionId, bytes: Uint8Array, offset: number, length: number): boolean {
    return this.#send(id, Buffer.from(bytes.subarray(offset, offset + length)))
  }

  forward(id: ConnectionId, offset: number, length: number): boolean {
    if (this.#delivered === undefined) throw new Error('reactor: forward() outside of onData')
    this.#isDeliveredShared = true
    return this.#send(id, this.#delivered.subarray(offset, offset + length))
  }

  keep(): Lease {
    if (this.#delivered === undefined) throw new Error('reactor: keep() outside of onData')
    this.#isDeliveredShared = true
    return this.#leases.add(this.#delivered)
  }

  send(id: ConnectionId, lease: Lease, offset: number, length: number): boolean {
    return this.#send(id, this.#leases.take(lease).subarray(offset, offset + length))
  }

  release(lease: Lease): void {
    this.#leases.take(lease)
  }

  pause(id: ConnectionId): void {
    const connection = this.#find(id)
    if (connection === undefined || connection.isMute) return
    connection.isPaused = true
    connection.socket.pause()
  }

  resume(id: ConnectionId): void {
    const connection = this.#find(id)
    if (connection === undefined) return
    connection.isPaused = false
    if (connection.isOpen) connection.socket.resume()
  }

  shutdown(id: ConnectionId): void {
    this.#find(id)?.socket.end()
  }

  close(id: ConnectionId): void {
    const connection = this.#find(id)
    if (connection === undefined || connection.isMute) return
    connection.isMute = true
    this.#timers.stop(connection.deadline)
    connection.deadline = this.#timers.start(this.limits.lingerMs, id, (late) =>
      this.#abandon(late, errnos.ETIMEDOUT),
    )
    connection.socket.end()
    connection.socket.resume()
  }

  reset(id: ConnectionId): void {
    this.#abandon(id, errnos.ECONNABORTED)
  }

  pendingBytes(id: ConnectionId): number {
    return this.#find(id)?.socket.writableLength ?? 0
  }

  setIdleTimeout(id: ConnectionId, timeoutMs: number): void {
    if (this.#slots.has(id)) this.#idle.watch(id, timeoutMs)
  }

  peerAddress(id: ConnectionId): SocketAddress | undefined {
    const { remoteAddress: address, remotePort: port } = this.#find(id)?.socket ?? {}
    return address === undefined || port === undefined ? undefined : { address, port }
  }

  localAddress(id: ConnectionId): SocketAddress | undefined {
    const { localAddress: address, localPort: port } = this.#find(id)?.socket ?? {}
    return address === undefined || port === undefined ? undefined : { address, port }
  }

  originalDestination(_connection: ConnectionId): SocketAddress | undefined {
    return undefined
  }

  startTimer(delayMs: number, tag: number, fire: (tag: number) => void): TimerId {
    return this.#timers.start(delayMs, tag, fire)
  }

  stopTimer(timer: TimerId): void {
    this.#timers.stop(timer)
  }

  async openDatagram(options: DatagramOptions, handler: DatagramHandler): Promise<DatagramSocket> {
    const operation = `open UDP ${formatSocketAddress(options.address)}`
    refuseEnded(this.#isEnding, operation)
    refuseOptions(operation, {
      isTransparent: options.isTransparent === true,
      descriptor: options.descriptor !== undefined,
    })
    const socket = await openPortableDatagram(options, handler, (closed) =>
      this.#closables.delete(closed),
    )
    this.#closables.add(socket)
    if (this.#isEnding) socket.close()
    return socket
  }

  #find(id: ConnectionId): PortableConnection | undefined {
    return this.#slots.has(id) ? this.#connections[slotOf(id)] : undefined
  }

  #serverOptions(options: ListenOptions): ServerOpts {
    return {
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: options.noDelay ?? true,
      keepAlive: (options.keepAliveSeconds ?? 0) > 0,
      keepAliveInitialDelay: (options.keepAliveSeconds ?? 0) * 1000,
      ...this.#watermark(),
    }
  }

  /** Node's own mark for `drain` must be ours, else it may never come. */
  #watermark(): { highWaterMark: number } {
    return { highWaterMark: this.limits.pendingBytes }
  }

  #add(socket: Socket, handler: StreamHandler): PortableConnection | undefined {
    const id = this.#slots.take()
    if (id < 0) {
      socket.resetAndDestroy()
      return undefined
    }
    const connection: PortableConnection = {
      id,
      socket,
      handler,
      errno: 0,
      owesDrain: false,
      isOpen: false,
      isPaused: false,
      isMute: false,
      deadline: -1,
    }
    this.#connections[slotOf(id)] = connection
    this.#observe(connection)
    return connection
  }

  #open(connection: PortableConnection): void {
    connection.isOpen = true
    connection.handler.onOpen(connection.id)
    if (!connection.isPaused) connection.socket.resume()
  }

  #observe(connection: PortableConnection): void {
    const { id, socket } = connection
    socket.on('data', (chunk: Buffer) => {
      this.#idle.touch(slotOf(id), performance.now())
      if (!connection.isMute) this.#deliver(connection, chunk)
    })
    // A listener for data lets the stream flow; it must wait for onOpen.
    socket.pause()
    socket.on('end', () => {
      if (!connection.isMute) connection.handler.onEnd(id)
    })
    socket.on('drain', () => {
      this.#idle.touch(slotOf(id), performance.now())
      if (!connection.owesDrain || connection.isMute) return
      connection.owesDrain = false
      connection.handler.onDrain(id)
    })
    socket.on('error', (error) => {
      if (connection.errno === 0) connection.errno = portableErrno(error)
    })
    socket.on('close', () => {
      this.#timers.stop(connection.deadline)
      this.#idle.forget(slotOf(id))
      connection.handler.onClose(id, connection.errno)
      this.#connections[slotOf(id)] = undefined
      this.#slots.release(id)
    })
  }

  #deliver({ id, handler }: PortableConnection, chunk: Buffer): void {
    this.#delivered = chunk
    this.#isDeliveredShared = false
    try {
      handler.onData(id, chunk, 0, chunk.length)
    } finally {
      this.#delivered = undefined
    }
    if (this.#settings.isChecked && !this.#isDeliveredShared) chunk.fill(poison)
  }

  #send(id: ConnectionId, bytes: Buffer): boolean {
    const connection = this.#find(id)
    if (connection === undefined || connection.socket.writableEnded) return true
    const { socket } = connection
    socket.write(bytes)
    const pending = socket.writableLength
    if (pending <= this.limits.pendingBytes) return true
    if (pending > 4 * this.limits.pendingBytes) this.#abandon(id, errnos.ENOBUFS)
    connection.owesDrain = true
    return false
  }

  #abandon(id: ConnectionId, errno: number): void {
    const connection = this.#find(id)
    if (connection === undefined || connection.socket.destroyed) return
    connection.isMute = true
    if (connection.errno === 0) connection.errno = errno
    // A socket that never connected has nothing to reset.
    if (connection.socket.connecting) connection.socket.destroy()
    else connection.socket.resetAndDestroy()
  }

  #end(): void {
    this.#isEnding = true
    for (const closable of this.#closables) closable.close()
    for (const id of this.#slots.ids()) this.#abandon(id, errnos.ECANCELED)
    const settle = () => {
      if (this.#slots.count > 0) {
        setImmediate(settle)
        return
      }
      this.#timers.close()
      this.#onClosed()
    }
    settle()
  }
}
