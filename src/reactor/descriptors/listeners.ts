import type { Listener, ListenOptions, TimerId } from '../reactor.ts'
import type { SocketAddress } from '../socket-address.ts'
import { errnos, type StreamHandler } from '../stream-handler.ts'
import type { Timers } from '../timers.ts'
import { type ConnectionTable, flag } from './connection-table.ts'
import type { Driver } from './driver.ts'
import { openListenSocket, resetOnClose } from './open-socket.ts'
import { addressOfSocket } from './socket-address-bytes.ts'
import type { Streams } from './streams.ts'
import { systemCalls } from './system-calls.ts'

/** How long a listener rests when there is no descriptor or no memory for what waits. */
const restMs = 100

interface OpenListener {
  readonly fd: number
  readonly handler: StreamHandler
  readonly flags: number
  readonly isOurs: boolean
  /** The timer that ends a rest, or -1. */
  rest: TimerId
}

/** Listening sockets, by the number under which the driver knows them. */
export class Listeners {
  readonly #driver: Driver
  readonly #table: ConnectionTable
  readonly #streams: Streams
  readonly #timers: Timers
  readonly #open = new Map<number, OpenListener>()
  #last = 0

  constructor(driver: Driver, table: ConnectionTable, streams: Streams, timers: Timers) {
    this.#driver = driver
    this.#table = table
    this.#streams = streams
    this.#timers = timers
  }

  get count(): number {
    return this.#open.size
  }

  /** Throws ReactorError. */
  open(address: SocketAddress, options: ListenOptions, handler: StreamHandler): Listener {
    const isOurs = options.descriptor === undefined
    const fd = options.descriptor ?? openListenSocket(address, options)
    this.#last++
    const listener = this.#last
    const flags = options.startsPaused === true ? flag.isPaused : 0
    this.#open.set(listener, { fd, handler, flags, isOurs, rest: -1 })
    this.#driver.watchListener(listener, fd)
    return {
      address: addressOfSocket(fd, 'local') ?? address,
      close: () => this.#close(listener),
    }
  }

  /** A connection came. Without a free slot it is reset: who asks again later may find one. */
  accepted(listener: number, fd: number): void {
    const found = this.#open.get(listener)
    const id = found === undefined ? -1 : this.#table.add(fd, found.handler, found.flags)
    if (id >= 0) {
      this.#streams.opened(id)
      return
    }
    resetOnClose(fd)
    systemCalls().close(fd)
  }

  /** Accepting failed. Connections that were given up meanwhile are the peer's affair; without descriptors or
   *  memory the next attempt would fail as well. */
  failed(listener: number, errno: number): void {
    const found = this.#open.get(listener)
    if (found === undefined || !isExhausted(errno)) return
    this.#driver.unwatchListener(listener, found.fd)
    found.rest = this.#timers.start(restMs, listener, this.#wake)
  }

  close(): void {
    for (const listener of [...this.#open.keys()]) this.#close(listener)
  }

  #close(listener: number): void {
    const found = this.#open.get(listener)
    if (found === undefined) return
    this.#open.delete(listener)
    if (found.rest < 0) this.#driver.unwatchListener(listener, found.fd)
    else this.#timers.stop(found.rest)
    if (found.isOurs) systemCalls().close(found.fd)
  }

  readonly #wake = (listener: number): void => {
    const found = this.#open.get(listener)
    if (found === undefined) return
    found.rest = -1
    this.#driver.watchListener(listener, found.fd)
  }
}

function isExhausted(errno: number): boolean {
  const { EMFILE, ENFILE, ENOMEM, ENOBUFS } = errnos
  return errno === EMFILE || errno === ENFILE || errno === ENOMEM || errno === ENOBUFS
}
