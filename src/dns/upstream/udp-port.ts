import { getSystemErrorName } from 'node:util'
import { familyOf } from '../../net/address.ts'
import { addressRecordBytes } from '../../reactor/address-record.ts'
import type { DatagramBatch, DatagramHandler, DatagramSocket } from '../../reactor/datagram.ts'
import type { Reactor, TimerId } from '../../reactor/reactor.ts'
import type { SocketAddress } from '../../reactor/socket-address.ts'
import { headerBytes } from '../wire/decode-message.ts'
import type { Message } from '../wire/message.ts'
import { readU16 } from '../wire/read-u16.ts'
import { checkReply } from './check-reply.ts'
import { UpstreamError } from './upstream.ts'

/** A query that waits for its reply. */
export interface UdpQuery {
  readonly message: Message
  /** As it is sent; the port writes the id into it. */
  readonly bytes: Uint8Array
  readonly port: UdpPort
  id: number
  /** The owner's. */
  readonly slot: number
  timer: TimerId
  sentCount: number
  resolve(reply: Message): void
  reject(error: Error): void
}

/** Who sends through a port. */
export interface UdpOwner {
  readonly label: string
  /** A query has got its reply or its error. */
  ended(query: UdpQuery): void
}

/** What a port works with. */
export interface UdpPortInputs {
  readonly peer: SocketAddress
  /** From then on it is used up. */
  readonly endMs: number
  readonly random: () => number
  readonly reactor: Pick<Reactor, 'openDatagram'>
  readonly owner: UdpOwner
}

/** Queries of a port before another takes its place. */
const maxQueries = 2_000

/** A connected socket asks for no addresses. */
const noAddress = new Uint8Array(addressRecordBytes)

/** One local port, chosen by the kernel by chance, and the queries that wait for replies to it. The socket is
 *  connected: it takes packets of the upstream only. */
export class UdpPort implements DatagramHandler {
  readonly #inputs: UdpPortInputs
  readonly #waiting = new Map<number, UdpQuery>()
  #socket: DatagramSocket | undefined
  #queryCount = 0
  #isRetired = false
  #isClosed = false

  constructor(inputs: UdpPortInputs) {
    this.#inputs = inputs
    const { peer, reactor } = inputs
    const address = { address: familyOf(peer.address) === 4 ? '0.0.0.0' : '::', port: 0 }
    reactor.openDatagram({ address, peer }, this).then(
      (socket) => this.#opened(socket),
      (error: Error) => this.fail(error.message, error),
    )
  }

  isUsedUp(nowMs: number): boolean {
    return this.#isRetired || this.#queryCount >= maxQueries || nowMs >= this.#inputs.endMs
  }

  /** Gives the query an id that no other waits with, chosen by chance, and sends it. */
  ask(query: UdpQuery): void {
    this.#queryCount++
    do query.id = Math.floor(this.#inputs.random() * 0x10000)
    while (this.#waiting.has(query.id))
    query.bytes[0] = query.id >> 8
    query.bytes[1] = query.id
    this.#waiting.set(query.id, query)
    this.send(query)
  }

  /** Sends a query that waits, once more. What is lost here is sent again like what is lost on the way. */
  send({ bytes }: UdpQuery): void {
    this.#socket?.send(noAddress, 0, bytes, 0, bytes.length)
  }

  /** Ends the wait of a query. */
  giveUp(query: UdpQuery, reason: string): void {
    this.#end(query)
    query.reject(new UpstreamError(this.#inputs.owner.label, reason))
    this.#closeWhenIdle()
  }

  /** Takes no more queries; closes when the last one is through. */
  retire(): void {
    this.#isRetired = true
    this.#closeWhenIdle()
  }

  /** Ends the wait of all queries. */
  fail(reason: string, cause?: Error): void {
    const error = new UpstreamError(this.#inputs.owner.label, reason, { cause })
    for (const query of [...this.#waiting.values()]) {
      this.#end(query)
      query.reject(error)
    }
    this.retire()
  }

  /** Packets that are no reply to a query of ours are passed over: forged, doubled, or late. */
  onBatch(_socket: DatagramSocket, batch: DatagramBatch): void {
    const { bytes } = batch
    for (let index = 0; index < batch.count; index++) {
      const start = batch.offset(index)
      const length = batch.length(index)
      if (length < headerBytes) continue
      const query = this.#waiting.get(readU16(bytes, start))
      if (query === undefined) continue
      const packet = bytes.subarray(start, start + length)
      const reply = checkReply(packet, query.message, query.bytes)
      if (reply === undefined) continue
      this.#end(query)
      query.resolve(reply)
    }
    this.#closeWhenIdle()
  }

  /** The kernel says that nobody listens there, or that there is no way. */
  onError(_socket: DatagramSocket, errno: number): void {
    this.fail(getSystemErrorName(-errno))
  }

  #opened(socket: DatagramSocket): void {
    this.#socket = socket
    for (const query of this.#waiting.values()) this.send(query)
    this.#closeWhenIdle()
  }

  #end(query: UdpQuery): void {
    this.#waiting.delete(query.id)
    this.#inputs.owner.ended(query)
  }

  #closeWhenIdle(): void {
    if (!this.#isRetired || this.#isClosed || this.#waiting.size > 0) return
    if (this.#socket === undefined) return
    this.#isClosed = true
    this.#socket.close()
  }
}
