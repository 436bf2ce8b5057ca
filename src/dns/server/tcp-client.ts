import type { Socket } from 'node:net'
import type { AskerSource } from '../answer/packet-responder.ts'
import type { TimeoutSettings } from '../corefile/decode-small.ts'
import { maxMessageBytes } from '../wire/message.ts'
import type { ConnectionTable } from './connection-table.ts'
import { streamAsker } from './stream-asker.ts'
import type { Seat } from './udp-listener.ts'

/** What a connection is served with. */
export interface TcpClientParts {
  readonly seat: Seat
  readonly transport: 'tcp' | 'tls'
  readonly timeouts: TimeoutSettings
  readonly table: ConnectionTable
}

/** Bytes of answers that wait for a slow client before its queries are left unread. */
const maxWaitingBytes = 256 << 10
/** Queries of one connection that wait for upstreams; further ones are left unread. */
const maxWaitingQueries = 100

/** Where an answer is made: it is copied before the next one. */
const out = Buffer.alloc(maxMessageBytes)

/** What a connection waits for: each may take its own time. */
type Phase = 'query' | 'answer' | 'client' | 'nothing'

/** One connection: any number of queries, each answered as soon as it can be, in any order (RFC 7766). It ends
 *  when the client has ended and has all answers, or when something took too long. */
export class TcpClient {
  readonly #socket: Socket
  readonly #parts: TcpClientParts
  readonly #source: AskerSource
  #received: Buffer = Buffer.alloc(0)
  /** Queries whose answers come later. */
  #waitingCount = 0
  #hasEnded = false
  #phase: Phase = 'nothing'
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket, parts: TcpClientParts) {
    this.#socket = socket
    this.#parts = parts
    this.#source = {
      asker: () => streamAsker(socket, parts.transport),
      later: () => this.#expectAnswer(),
    }
    socket.on('error', () => socket.destroy())
    socket.on('close', () => clearTimeout(this.#timer))
    socket.on('end', () => {
      this.#hasEnded = true
      this.#serve()
    })
    socket.on('data', (chunk: Buffer) => {
      const rest = this.#received
      this.#received = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      this.#serve()
    })
    this.#enter('query')
  }

  /** Answers what was received, as far as the client takes answers. */
  #serve(): void {
    const socket = this.#socket
    let at = 0
    while (!this.#isFull()) {
      const end = messageEnd(this.#received, at)
      if (end === undefined) break
      this.#answer(at + 2, end)
      at = end
    }
    if (at > 0) this.#received = this.#received.subarray(at)
    if (this.#isFull()) socket.pause()
    else if (socket.isPaused()) socket.resume()
    if (this.#hasEnded && this.#waitingCount === 0 && !this.#isFull()) socket.end()
    this.#enter(this.#nextPhase(at > 0))
  }

  #answer(start: number, end: number): void {
    const { seat, table } = this.#parts
    table.touch(this.#socket)
    const length = seat.responder.respond(this.#received, start, end, true, this.#source, out, 0)
    if (length > 0) this.#send(out.subarray(0, length))
  }

  #expectAnswer(): (answer: Uint8Array | undefined) => void {
    this.#waitingCount++
    return (answer) => {
      this.#waitingCount--
      if (this.#socket.destroyed) return
      if (answer !== undefined) this.#send(answer)
      this.#serve()
    }
  }

  #send(answer: Uint8Array): void {
    const framed = Buffer.allocUnsafe(2 + answer.length)
    framed.writeUInt16BE(answer.length, 0)
    framed.set(answer, 2)
    this.#socket.write(framed, this.#written)
  }

  /** A write has left: a client that takes its answers slowly, but does take them, has its time again. */
  readonly #written = (): void => {
    if (this.#phase !== 'client') return
    this.#phase = 'nothing'
    this.#serve()
  }

  #isFull(): boolean {
    const isSlow = this.#socket.writableLength > maxWaitingBytes
    return isSlow || this.#waitingCount >= maxWaitingQueries
  }

  #nextPhase(isQueryAnswered: boolean): Phase {
    if (this.#socket.writableLength > 0) return 'client'
    if (this.#waitingCount > 0) return 'answer'
    // The first query, and one that has begun, may not take longer for each byte that comes.
    const isReading = this.#received.length > 0 || this.#phase === 'query'
    return isReading && !isQueryAnswered ? 'query' : 'nothing'
  }

  /** The time of a phase counts from its beginning; that of silence from the last query. */
  #enter(phase: Phase): void {
    if (phase === this.#phase && phase !== 'nothing') return
    this.#phase = phase
    clearTimeout(this.#timer)
    const { readMs, writeMs, idleMs } = this.#parts.timeouts
    // Answers come or fail by themselves.
    const limits = { query: readMs, client: writeMs, nothing: idleMs, answer: 0 }
    const limitMs = limits[phase]
    if (limitMs > 0) this.#timer = setTimeout(() => this.#socket.destroy(), limitMs)
  }
}

/** Where the message at `at` ends; undefined when it is not complete. */
function messageEnd(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < 2) return undefined
  const end = at + 2 + bytes.readUInt16BE(at)
  return end > bytes.length ? undefined : end
}
