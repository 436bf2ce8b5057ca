import type { ConnectionId } from '../connection-id.ts'
import type { EngineName } from '../reactor.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { ConnectionTable } from './connection-table.ts'
import type { Outbox } from './outbox.ts'

/** What an engine on descriptors does for `Streams`: it starts operations, and tells of their ends through
 *  `DriverEvents`. Descriptors are `table.fds`. */
export interface Driver {
  readonly name: EngineName
  /** Whether sockets of connections must not be O_NONBLOCK. */
  readonly wantsBlocking: boolean
  /** Can be read when `turn` has something to do. */
  readonly pollDescriptor: number
  /** Accepts until `unwatchListener`; `accepted` tells. */
  watchListener(listener: number, fd: number): void
  unwatchListener(listener: number, fd: number): void
  /** Starts to connect to `address` (`length` bytes, the kernel's form); `connected` tells. */
  connect(connection: ConnectionId, address: Uint8Array, length: number): void
  /** Prepares an open connection. */
  open(connection: ConnectionId): void
  /** Receives until `stopReceive`, the end or an error; `received`, `ended` and `failed` tell. Does nothing
   *  when it is receiving. */
  startReceive(connection: ConnectionId): void
  /** What was received meanwhile may still come. */
  stopReceive(connection: ConnectionId): void
  /** Sends from the head of the outbox; `sent` or `failed` tells. Sets `isSending` until then. */
  startSend(connection: ConnectionId): void
  /** Ends all operations and closes the descriptor; `closed` tells. */
  close(connection: ConnectionId): void
  /** Tells by `datagramReadable` when a UDP socket can be read; again only after it was read empty. */
  watchDatagram(socket: number, fd: number): void
  unwatchDatagram(socket: number, fd: number): void
  /** Starts what was asked for, waits for events (0: does not wait; -1: without end), and tells them. Returns
   *  their number. */
  turn(waitMs: number): number
  /** Whether the next turn has work without an event. */
  readonly hasWork: boolean
  /** Gives its own descriptors back. Nothing may be open. */
  dispose(): void
}

/** What a driver tells. */
export interface DriverEvents {
  accepted(listener: number, fd: number): void
  /** Accepting failed, and would at once again. */
  acceptFailed(listener: number, errno: number): void
  /** `errno` 0: open. */
  connected(connection: ConnectionId, errno: number): void
  /** The buffer has one user, which is given to the callee. */
  received(connection: ConnectionId, buffer: number, length: number): void
  /** There was no free buffer to receive into. The driver goes on by itself when there is one. */
  starved(): void
  ended(connection: ConnectionId): void
  failed(connection: ConnectionId, errno: number): void
  /** The kernel took `length` bytes; nothing is being sent now. */
  sent(connection: ConnectionId, length: number): void
  closed(connection: ConnectionId): void
  datagramReadable(socket: number): void
}

/** What a driver works on. */
export interface DriverParts {
  readonly table: ConnectionTable
  readonly pool: BufferPool
  /** Turns wait for events; nobody looks at `pollDescriptor`. */
  readonly isBlocking: boolean
  readonly outbox: Outbox
}
