import type { Socket } from 'node:net'

/** How many connections a listener holds. */
export interface ConnectionLimits {
  readonly total: number
  /** Of one client address: nobody can take all places. */
  readonly perClient: number
}

/** The connections of a listener, bounded (RFC 7766 section 6.2.2). When a further one comes, the one whose
 *  last query is the longest ago gives way; a client that has too many gets no more. */
export class ConnectionTable {
  readonly #limits: ConnectionLimits
  /** By `keyOf`, in the order of their last query. */
  readonly #sockets = new Map<string, Socket>()
  readonly #countByClient = new Map<string, number>()

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  /** Number of connections. */
  get count(): number {
    return this.#sockets.size
  }

  /** Holds a new connection until it closes, or closes it at once. */
  admit(socket: Socket): boolean {
    const { remoteAddress: client } = socket
    const count = this.#countByClient.get(client ?? '') ?? 0
    if (client === undefined || count >= this.#limits.perClient) {
      socket.destroy()
      return false
    }
    if (this.#sockets.size >= this.#limits.total) this.#closeOldest()
    const key = keyOf(socket)
    this.#sockets.set(key, socket)
    this.#countByClient.set(client, count + 1)
    socket.once('close', () => this.#remove(key, client, socket))
    return true
  }

  /** A query came: the connection is the last that has to give way. Takes its socket, or the encrypted one
   *  above it. */
  touch(socket: Peered): void {
    const key = keyOf(socket)
    const held = this.#sockets.get(key)
    if (held === undefined) return
    this.#sockets.delete(key)
    this.#sockets.set(key, held)
  }

  /** Ends all connections. */
  close(): void {
    for (const socket of this.#sockets.values()) socket.destroy()
  }

  #closeOldest(): void {
    const [oldest] = this.#sockets
    if (oldest === undefined) return
    const [key, socket] = oldest
    // Its place is free now, not when its end was noticed.
    this.#sockets.delete(key)
    socket.destroy()
  }

  #remove(key: string, client: string, socket: Socket): void {
    if (this.#sockets.get(key) === socket) this.#sockets.delete(key)
    const count = (this.#countByClient.get(client) ?? 1) - 1
    if (count === 0) this.#countByClient.delete(client)
    else this.#countByClient.set(client, count)
  }
}

type Peered = Pick<Socket, 'remoteAddress' | 'remotePort'>

/** Unique in a listener, and the same for a socket and the encrypted one above it. */
function keyOf({ remoteAddress, remotePort }: Peered): string {
  return `${remoteAddress} ${remotePort}`
}
