import type { Duplex } from 'node:stream'
import type { Clock } from '../../kube/clock.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import type { Message } from '../wire/message.ts'
import { checkReply, readId } from './check-reply.ts'
import { PendingQueries } from './pending-queries.ts'
import { frame, StreamFrames } from './stream-frames.ts'
import { UpstreamError } from './upstream.ts'

/** What a pool works with. */
export interface StreamPoolInputs {
  readonly label: string
  readonly clock: Clock
  readonly random: () => number
  /** A connection closes when nothing was asked for so long. */
  readonly expireMs: number
  /** Opens a connection: TCP, or TLS over it. `ready` is the event that says it can be used. */
  readonly connect: () => { readonly stream: Duplex; readonly ready: string }
}

/** Queries that one connection carries at a time; more get a second one. */
const maxPipelined = 200

/** A reply is waited for so long, the time to connect included. */
const timeoutMs = 4_000

/** Size of a query: it has one question and few options. */
const maxQueryBytes = 4_096

/** Sends queries over few connections, many at a time on each, replies in any order (RFC 7766). */
export class StreamPool {
  readonly #inputs: StreamPoolInputs
  readonly #connections = new Set<Connection>()
  #isClosed = false

  constructor(inputs: StreamPoolInputs) {
    this.#inputs = inputs
  }

  /** Resolves with the reply. A connection that had been idle may have been closed by the other side just
   *  now: then the query goes out once more on a new one. Rejects with an UpstreamError. */
  async exchange(query: Message): Promise<Message> {
    const connection = this.#choose()
    const wasUsed = connection.isUsed
    try {
      return await connection.exchange(query)
    } catch (error) {
      if (!wasUsed || !(error instanceof ConnectionLost)) throw error
      return await this.#choose().exchange(query)
    }
  }

  /** Closes all connections. */
  close(): void {
    this.#isClosed = true
    for (const connection of this.#connections) connection.close('is closed')
  }

  #choose(): Connection {
    if (this.#isClosed) throw new UpstreamError(this.#inputs.label, 'is closed')
    for (const connection of this.#connections) {
      if (connection.pendingCount < maxPipelined) return connection
    }
    const opened = new Connection(this.#inputs, () => this.#connections.delete(opened))
    this.#connections.add(opened)
    return opened
  }
}

/** The connection ended while the query was under way. */
class ConnectionLost extends UpstreamError {}

class Connection {
  readonly #inputs: StreamPoolInputs
  readonly #onEnd: () => void
  readonly #stream: Duplex
  readonly #pending: PendingQueries
  readonly #frames = new StreamFrames()
  /** Frames that wait until the connection stands; undefined: it does. */
  #waiting: Uint8Array[] | undefined = []
  #isUsed = false
  #cancelExpiry: () => void = () => undefined

  constructor(inputs: StreamPoolInputs, onEnd: () => void) {
    this.#inputs = inputs
    this.#onEnd = onEnd
    this.#pending = new PendingQueries(inputs.clock, inputs.random)
    const { stream, ready } = inputs.connect()
    this.#stream = stream
    stream.once(ready, () => this.#start())
    stream.on('data', (chunk: Uint8Array) => this.#receive(chunk))
    stream.on('error', (error: Error) => this.close(error.message))
    stream.on('close', () => this.close('closed the connection'))
  }

  /** It has carried a query before. */
  get isUsed(): boolean {
    return this.#isUsed
  }

  get pendingCount(): number {
    return this.#pending.count
  }

  exchange(original: Message): Promise<Message> {
    this.#isUsed = true
    this.#cancelExpiry()
    const query = { ...original, id: this.#pending.freeId() }
    const sent = encodeMessage(query, maxQueryBytes)
    const bytes = frame(sent)
    const { promise, resolve, reject } = Promise.withResolvers<Message>()
    const { label } = this.#inputs
    const timedOut = (): Error => new UpstreamError(label, `no reply within ${timeoutMs} ms`)
    this.#pending.add({ query, sent, resolve, reject }, timeoutMs, timedOut)
    if (this.#waiting === undefined) this.#stream.write(bytes)
    else this.#waiting.push(bytes)
    return promise.finally(() => this.#expireWhenIdle())
  }

  close(reason: string): void {
    this.#onEnd()
    this.#cancelExpiry()
    this.#stream.destroy()
    this.#pending.rejectAll(new ConnectionLost(this.#inputs.label, reason))
  }

  #start(): void {
    for (const bytes of this.#waiting ?? []) this.#stream.write(bytes)
    this.#waiting = undefined
  }

  #receive(chunk: Uint8Array): void {
    for (const bytes of this.#frames.push(chunk)) {
      const id = readId(bytes)
      const pending = id === undefined ? undefined : this.#pending.get(id)
      if (id === undefined || pending === undefined) continue
      const reply = checkReply(bytes, pending.query, pending.sent)
      // What was asked on a connection cannot be answered by others: this upstream is broken.
      if (reply === undefined) {
        this.close('answered another question')
        return
      }
      this.#pending.settle(id, reply)
    }
  }

  #expireWhenIdle(): void {
    if (this.#pending.count > 0) return
    this.#cancelExpiry()
    const { clock, expireMs } = this.#inputs
    this.#cancelExpiry = clock.schedule(() => this.close('was idle'), expireMs)
  }
}
