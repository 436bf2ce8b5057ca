import type { Socket } from 'node:net'
import type { ConnectionId } from '../connection-id.ts'
import type { TimerId } from '../reactor.ts'
import { ReactorError } from '../reactor-error.ts'
import type { StreamHandler } from '../stream-handler.ts'

/** What a connection is here. */
export interface PortableConnection {
  readonly id: ConnectionId
  readonly socket: Socket
  handler: StreamHandler
  /** Why it ends, once that is known. */
  errno: number
  /** A send returned false and `onDrain` is owed. */
  owesDrain: boolean
  isOpen: boolean
  isPaused: boolean
  /** `close` or `reset` was called: nothing more is delivered. */
  isMute: boolean
  /** Gives up connecting or lingering. */
  deadline: TimerId
}

/** Throws for options that are asked for and that Node's sockets have no words for. */
export function refuseOptions(operation: string, options: Readonly<Record<string, boolean>>): void {
  for (const [name, isAsked] of Object.entries(options)) {
    if (!isAsked) continue
    throw new ReactorError(operation, 0, `the portable engine has no ${name}; use uring or epoll`)
  }
}
