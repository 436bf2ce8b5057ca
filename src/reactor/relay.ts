import { type ConnectionId, slotOf } from './connection-id.ts'
import type { Reactor } from './reactor.ts'
import { errnos, type StreamHandler } from './stream-handler.ts'

/** Called once for each pair, when both connections are closed. `errno`: of the one that broke, else 0. */
export type RelayEnd = (client: ConnectionId, errno: number) => void

/** Joins connections in pairs: what comes on one goes to the other straight from the buffer it was received
 *  in, a FIN as a FIN, a reset as a reset. A slow receiver stops its sender: no more than
 *  `limits.pendingBytes` and what was under way waits in between. One object serves all pairs of a reactor. */
export class Relay implements StreamHandler {
  readonly #reactor: Reactor
  readonly #onEnd: RelayEnd
  /** The other connection of the pair, by slot. */
  readonly #others: Int32Array
  /** 1: the client of its pair. */
  readonly #isClient: Uint8Array
  /** Of a pair whose first connection has closed, by the slot of the second: errno + 1. */
  readonly #firstErrno: Int32Array

  constructor(reactor: Reactor, onEnd: RelayEnd) {
    const slots = reactor.limits.connections
    this.#reactor = reactor
    this.#onEnd = onEnd
    this.#others = new Int32Array(slots)
    this.#isClient = new Uint8Array(slots)
    this.#firstErrno = new Int32Array(slots)
  }

  /** Takes over both connections. The server may still be connecting: if that fails, the client is reset. The
   *  client must be paused until the server is open if its bytes are to survive that. `idleTimeoutMs`: ends
   *  pairs on which neither side sends; 0: never. */
  join(client: ConnectionId, server: ConnectionId, idleTimeoutMs: number): void {
    this.#couple(client, server, 1)
    this.#couple(server, client, 0)
    this.#reactor.attach(client, this)
    this.#reactor.attach(server, this)
    // Bytes of either direction touch the client.
    if (idleTimeoutMs > 0) this.#reactor.setIdleTimeout(client, idleTimeoutMs)
    this.#reactor.resume(client)
    this.#reactor.resume(server)
  }

  onOpen(): void {}

  onData(from: ConnectionId, _bytes: Buffer, offset: number, length: number): void {
    const to = this.#others[slotOf(from)] ?? -1
    if (!this.#reactor.forward(to, offset, length)) this.#reactor.pause(from)
  }

  onEnd(from: ConnectionId): void {
    this.#reactor.shutdown(this.#others[slotOf(from)] ?? -1)
  }

  onDrain(to: ConnectionId): void {
    this.#reactor.resume(this.#others[slotOf(to)] ?? -1)
  }

  onTimeout(client: ConnectionId): void {
    this.#reactor.reset(client)
  }

  onClose(closed: ConnectionId, errno: number): void {
    const slot = slotOf(closed)
    const other = this.#others[slot] ?? -1
    const first = (this.#firstErrno[slot] ?? 0) - 1
    if (first < 0) {
      this.#firstErrno[slotOf(other)] = errno + 1
      // In order, the other one has had its FIN as well, and closes when it is through.
      if (errno !== 0) this.#reactor.reset(other)
      return
    }
    this.#onEnd(this.#isClient[slot] === 1 ? closed : other, relayErrno(first, errno))
  }

  #couple(connection: ConnectionId, other: ConnectionId, isClient: 0 | 1): void {
    const slot = slotOf(connection)
    this.#others[slot] = other
    this.#isClient[slot] = isClient
    this.#firstErrno[slot] = 0
  }
}

/** The second connection was reset by us if the first one broke. */
function relayErrno(first: number, second: number): number {
  return first === 0 && second !== errnos.ECONNABORTED ? second : first
}
