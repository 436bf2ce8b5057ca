import type { ConnectionId } from './connection-id.ts'
import type { DatagramHandler, DatagramOptions, DatagramSocket } from './datagram.ts'
import type { SocketAddress } from './socket-address.ts'
import type { StreamHandler } from './stream-handler.ts'

/** The engines, best first: io_uring, epoll, Node's own sockets. */
export type EngineName = 'uring' | 'epoll' | 'portable'

/** Bytes that were kept beyond their callback, until sent or released. */
export type Lease = number

/** A timer that has not fired. */
export type TimerId = number

/** Moves bytes for one thread. All callbacks come from the event loop, never from within a call of these
 *  functions. Nothing here throws for what a peer does; wrong use throws where `isChecked` is set. */
export interface Reactor {
  readonly engine: EngineName
  /** Why this engine was taken, for people: `io_uring: not permitted (EPERM); epoll`. */
  readonly reason: string
  readonly limits: ReactorLimits

  /** Accepts connections. Rejects with ReactorError when the address cannot be had. */
  listen(address: SocketAddress, options: ListenOptions, handler: StreamHandler): Promise<Listener>
  /** Starts a connection; `onOpen` or `onClose` (with the errno) tells the outcome. Bytes may be written at
   *  once; they go out when it is open. */
  connect(address: SocketAddress, options: ConnectOptions, handler: StreamHandler): ConnectionId
  /** Lets another handler take over a connection, from the next callback. */
  attach(connection: ConnectionId, handler: StreamHandler): void

  /** Sends a copy of bytes. As all four ways to send: false says that more than `limits.pendingBytes` wait,
   *  stop until `onDrain`; past four times that the connection is reset with ENOBUFS. */
  write(connection: ConnectionId, bytes: Uint8Array, offset: number, length: number): boolean
  /** Only in `onData`: sends a part of the bytes that are being delivered, without a copy. */
  forward(connection: ConnectionId, offset: number, length: number): boolean
  /** Only in `onData`: keeps the buffer that is being delivered after the callback. The caller owns the lease
   *  until it gives it to `send` or `release`, once. */
  keep(): Lease
  /** Sends a part of a kept buffer, and takes the lease. */
  send(connection: ConnectionId, lease: Lease, offset: number, length: number): boolean
  /** Gives a kept buffer back without sending it. */
  release(lease: Lease): void

  /** Stops delivery of bytes (and of the end) until `resume`: the peer is slowed down by TCP. A bounded number
   *  of bytes that are already here waits in the reactor. */
  pause(connection: ConnectionId): void
  resume(connection: ConnectionId): void
  /** Ends the sending direction after what was written (FIN). When both directions have ended, the connection
   *  closes by itself with errno 0. */
  shutdown(connection: ConnectionId): void
  /** `shutdown`, then drops what still comes; resets after `limits.lingerMs` when the peer does not end. */
  close(connection: ConnectionId): void
  /** Ends at once (RST); `onClose` follows with ECONNABORTED. */
  reset(connection: ConnectionId): void

  /** Bytes given to be sent and not yet taken by the kernel. */
  pendingBytes(connection: ConnectionId): number
  /** Calls `onTimeout` when nothing came or went for so long, again and again; 0 ends it. */
  setIdleTimeout(connection: ConnectionId, timeoutMs: number): void
  peerAddress(connection: ConnectionId): SocketAddress | undefined
  localAddress(connection: ConnectionId): SocketAddress | undefined
  /** Where the client wanted to go before a REDIRECT (SO_ORIGINAL_DST) or with TPROXY (the local address);
   *  undefined where the engine cannot know. */
  originalDestination(connection: ConnectionId): SocketAddress | undefined

  /** Calls `fire(tag)` once, at the earliest after `delayMs`, at the latest `limits.tickMs` and a turn later. */
  startTimer(delayMs: number, tag: number, fire: (tag: number) => void): TimerId
  /** Does nothing for a timer that has fired. */
  stopTimer(timer: TimerId): void

  /** Opens a UDP socket. Rejects with ReactorError when the address cannot be had. */
  openDatagram(options: DatagramOptions, handler: DatagramHandler): Promise<DatagramSocket>

  /** Open connections, listeners, UDP sockets, buffers and timers. All are 0 after `close` has ended. */
  readonly counts: ReactorCounts
  /** Resolves when everything is closed: after the signal of `openReactor` was aborted. Rejects in checked
   *  mode when leases were left. */
  readonly closed: Promise<void>
}

/** What a reactor holds at most. */
export interface ReactorLimits {
  /** At most 1,048,576. Further ones wait in the kernel's queue, or are refused. */
  readonly connections: number
  /** Bytes of receive buffers, all connections together. When few are free, writers are told to stop earlier than
   *  `pendingBytes` says; when none has become free for a second, the connection on which most waits is reset
   *  with ENOBUFS. */
  readonly receiveBytes: number
  /** Bytes of copies that wait to be sent, all connections together; past it `write` resets. */
  readonly copyBytes: number
  /** Bytes that wait to be sent on one connection before its writers are told to stop. */
  readonly pendingBytes: number
  /** See `close`. */
  readonly lingerMs: number
  /** Resolution of timers. */
  readonly tickMs: number
}

/** What a reactor holds now. */
export interface ReactorCounts {
  readonly connections: number
  readonly listeners: number
  readonly datagramSockets: number
  readonly timers: number
  /** Receive buffers that wait to be sent or were kept. */
  readonly buffers: number
}

/** Socket options of connections in both directions. */
export interface StreamOptions {
  /** TCP_NODELAY; true if absent. */
  readonly noDelay?: boolean
  /** SO_KEEPALIVE with this time of silence before the first probe, seconds; 0, the default: none. */
  readonly keepAliveSeconds?: number
  /** IP_TRANSPARENT: takes or uses addresses that are not this machine's. Needs CAP_NET_ADMIN; not portable. */
  readonly isTransparent?: boolean
}

/** Options of a listener. */
export interface ListenOptions extends StreamOptions {
  /** Connections that wait to be accepted; 4,096 if absent. The kernel caps it at net.core.somaxconn. */
  readonly backlog?: number
  /** SO_REUSEPORT: several listeners share the address. */
  readonly isShared?: boolean
  /** TCP_FASTOPEN with this queue length; 0, the default: off. Not portable. */
  readonly fastOpenQueue?: number
  /** A listening descriptor of this process to accept from instead of a new one. It is not closed with the
   *  listener. With io_uring it becomes a blocking one. Not portable. */
  readonly descriptor?: number
  /** Delivers nothing until `resume`: for connections whose bytes must wait for another one. */
  readonly startsPaused?: boolean
}

/** Options of a connection that we start. */
export interface ConnectOptions extends StreamOptions {
  /** Gives up with ETIMEDOUT. */
  readonly timeoutMs: number
  /** Local address; port 0 is any. */
  readonly source?: SocketAddress
  /** TCP_FASTOPEN_CONNECT: the first bytes travel with the SYN. Not portable. */
  readonly isFastOpen?: boolean
}

/** Something that accepts connections. */
export interface Listener {
  /** The address with the port that was given. */
  readonly address: SocketAddress
  /** Accepts no more; accepted connections go on. */
  close(): void
}
