import type { ConnectionId } from './connection-id.ts'

/** What happens on connections. One object serves many connections; what it knows of each it keeps in
 *  tables by `slotOf(connection)`. */
export interface StreamHandler {
  /** Accepted or connected. */
  onOpen(connection: ConnectionId): void
  /** Bytes came: `length` (never 0) from `offset` of `bytes`. Valid only in this callback, unless `keep` was
   *  called; must not be changed. */
  onData(connection: ConnectionId, bytes: Buffer, offset: number, length: number): void
  /** The peer has ended its direction (FIN); we may still write. */
  onEnd(connection: ConnectionId): void
  /** After a send had returned false: no more than half of `limits.pendingBytes` wait. */
  onDrain(connection: ConnectionId): void
  /** Nothing came or went for the time of `setIdleTimeout`. The connection stays open. */
  onTimeout(connection: ConnectionId): void
  /** The last callback, exactly once for each accepted connection and each `connect`. 0: both directions
   *  ended in order; else the errno (`errnos`). */
  onClose(connection: ConnectionId, errno: number): void
}

/** Why a connection ended, as Linux numbers it on x64 and arm64, on every system. asm-generic/errno.h */
export const errnos = {
  EPERM: 1,
  EINTR: 4,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EPIPE: 32,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  ECANCELED: 125,
} as const
