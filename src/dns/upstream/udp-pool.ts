import { createSocket, type Socket } from 'node:dgram'
import type { Clock } from '../../kube/clock.ts'
import { familyOf } from '../../net/address.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import type { Message } from '../wire/message.ts'
import { checkReply, readId } from './check-reply.ts'
import { PendingQueries } from './pending-queries.ts'
import { UpstreamError } from './upstream.ts'

/** What a pool works with. */
export interface UdpPoolInputs {
  readonly label: string
  readonly address: string
  readonly port: number
  readonly clock: Clock
  readonly random: () => number
  /** Age after which a socket gets no more queries, and so another port. */
  readonly expireMs: number
}

/** Sockets at a time: a forged reply must guess one of their ports, beside the id. */
const maxSockets = 32

/** Queries of a socket before another takes its place. */
const maxQueriesOfSocket = 2_000

/** A reply is waited for so long, and the query sent again in between, in case it was lost. */
const timeoutMs = 2_000
const resendMs = [400, 1_200]

/** Size of a query: it has one question and few options. */
const maxQueryBytes = 4_096

/** Sends queries over UDP, each from a port chosen by chance and with an id chosen by chance. */
export class UdpPool {
  readonly #inputs: UdpPoolInputs
  readonly #sockets: (PooledSocket | undefined)[] = []
  #isClosed = false

  constructor(inputs: UdpPoolInputs) {
    this.#inputs = inputs
  }

  /** Resolves with the reply. Rejects with an UpstreamError: no reply in time, or the port is closed. */
  async exchange(query: Message): Promise<Message> {
    if (this.#isClosed) throw new UpstreamError(this.#inputs.label, 'is closed')
    return await this.#choose().exchange(query)
  }

  /** Closes all sockets. */
  close(): void {
    this.#isClosed = true
    for (const socket of this.#sockets) socket?.close()
  }

  /** A place by chance; the socket there, or a new one when there is none or it is used up. */
  #choose(): PooledSocket {
    const { clock, random } = this.#inputs
    const index = Math.floor(random() * maxSockets)
    const found = this.#sockets[index]
    if (found !== undefined && !found.isUsedUp(clock.now())) return found
    found?.retire()
    const opened = new PooledSocket(this.#inputs)
    this.#sockets[index] = opened
    return opened
  }
}

class PooledSocket {
  readonly #inputs: UdpPoolInputs
  readonly #socket: Socket
  readonly #pending: PendingQueries
  readonly #openedMs: number
  readonly #connected: Promise<void>
  #queryCount = 0
  #isRetired = false
  #isBroken = false

  constructor(inputs: UdpPoolInputs) {
    const { address, port, clock, random } = inputs
    this.#inputs = inputs
    this.#openedMs = clock.now()
    this.#pending = new PendingQueries(clock, random)
    this.#socket = createSocket(familyOf(address) === 4 ? 'udp4' : 'udp6')
    this.#socket.on('message', (bytes) => this.#receive(bytes))
    this.#socket.on('error', (error) => this.#fail(error))
    // A connected socket takes packets of the upstream only.
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#connected = promise
    this.#socket.once('connect', resolve)
    this.#socket.connect(port, address)
    this.#socket.unref()
  }

  isUsedUp(nowMs: number): boolean {
    const isOld = nowMs - this.#openedMs >= this.#inputs.expireMs
    return this.#isRetired || isOld || this.#queryCount >= maxQueriesOfSocket
  }

  /** Takes no more queries; closes when the last one is through. */
  retire(): void {
    this.#isRetired = true
    this.#closeWhenIdle()
  }

  close(): void {
    this.#pending.rejectAll(new UpstreamError(this.#inputs.label, 'is closed'))
    this.retire()
  }

  exchange(original: Message): Promise<Message> {
    this.#queryCount++
    const { label, clock } = this.#inputs
    const query = { ...original, id: this.#pending.freeId() }
    const bytes = encodeMessage(query, maxQueryBytes)
    const { promise, resolve, reject } = Promise.withResolvers<Message>()
    const timedOut = (): Error => new UpstreamError(label, `no reply within ${timeoutMs} ms`)
    this.#pending.add({ query, resolve, reject }, timeoutMs, timedOut)
    this.#send(bytes)
    const cancels = resendMs.map((delayMs) => clock.schedule(() => this.#send(bytes), delayMs))
    return promise.finally(() => {
      for (const cancel of cancels) cancel()
      this.#closeWhenIdle()
    })
  }

  #send(bytes: Uint8Array): void {
    this.#connected.then(() => {
      if (this.#isBroken) return
      this.#socket.send(bytes, (error) => {
        if (error !== null) this.#fail(error)
      })
    }, nothing)
  }

  /** Packets that are no reply to a query of ours are passed over: forged, doubled, or late. */
  #receive(bytes: Uint8Array): void {
    const id = readId(bytes)
    const pending = id === undefined ? undefined : this.#pending.get(id)
    if (id === undefined || pending === undefined) return
    const reply = checkReply(bytes, pending.query)
    if (reply !== undefined) this.#pending.settle(id, reply)
  }

  /** The kernel says that nobody listens there, or that there is no way. */
  #fail(error: Error): void {
    this.#pending.rejectAll(new UpstreamError(this.#inputs.label, error.message, { cause: error }))
    this.#isRetired = true
    this.#closeWhenIdle()
  }

  #closeWhenIdle(): void {
    if (!this.#isRetired || this.#isBroken || this.#pending.count > 0) return
    this.#isBroken = true
    this.#socket.close()
  }
}

function nothing(): void {}
