import { familyOf } from '../../net/address.ts'
import { toByteString } from '../../net/byte-string.ts'
import { addressRecordBytes, readPeerAddress } from '../../reactor/address-record.ts'
import type { DatagramHandler, DatagramSocket } from '../../reactor/datagram.ts'
import type { Reactor, TimerId } from '../../reactor/reactor.ts'
import type { SocketAddress } from '../../reactor/socket-address.ts'
import type { EndpointPicker } from './endpoint-picker.ts'
import { FlowIndex } from './flow-index.ts'
import { keptClient } from './kept-client.ts'
import { RecentFlows } from './recent-flows.ts'
import type { RelayOptions } from './relay-options.ts'
import type { RelayTarget } from './relay-table.ts'
import { SessionTable, type TableSession } from './session-table.ts'

/** Datagrams that wait while a session's socket is opened; more are lost. */
const queueLimit = 16

/** One client's flow to one endpoint. */
interface Session extends TableSession {
  readonly key: string
  /** The client, and our address that it sends to (`address-record.ts`). */
  readonly record: Uint8Array
  readonly listener: DatagramSocket
  /** Undefined: being opened, and `queue` waits. */
  socket: DatagramSocket | undefined
  readonly queue: Buffer[]
  isAnswered: boolean
  isClosed: boolean
  timer: TimerId
  /** Of the timer. */
  tag: number
}

/** Leads datagrams of clients to endpoints and the answers back, each flow through a socket of its own. */
export class UdpRelay {
  readonly #reactor: Reactor
  readonly #picker: EndpointPicker
  readonly #options: RelayOptions
  readonly #now: () => number
  readonly #sessions: SessionTable<Session>
  readonly #flows = new FlowIndex<Session>()
  readonly #bySocket = new Map<DatagramSocket, Session>()
  readonly #recent = new RecentFlows<Session>()
  readonly #scratchWords = new Int32Array(addressRecordBytes / 4)
  readonly #scratch = new Uint8Array(this.#scratchWords.buffer)
  /** Timers have numbers for tags. */
  readonly #byTag = new Map<number, Session>()
  #nextTag = 0
  #listenerCount = 0

  constructor(
    reactor: Reactor,
    picker: EndpointPicker,
    options: RelayOptions,
    clock: { readonly now: () => number; readonly random: () => number },
  ) {
    this.#reactor = reactor
    this.#picker = picker
    this.#options = options
    this.#now = clock.now
    this.#sessions = new SessionTable(options.sessionLimit, clock.random)
  }

  /** Sessions now. */
  get size(): number {
    return this.#sessions.size
  }

  /** The handler of a listening socket. `route` says where a new flow of a client goes; undefined: its
   *  datagrams are dropped. */
  accept(route: (client: SocketAddress) => RelayTarget | undefined): DatagramHandler {
    // Not every engine tells in a record which of our addresses was asked.
    const listenerNumber = this.#listenerCount++
    return {
      onBatch: (listener, batch) => {
        const now = this.#now()
        for (let index = 0; index < batch.count; index++) {
          batch.copyAddress(index, this.#scratch, 0)
          const session =
            this.#find(listenerNumber) ?? this.#open(this.#keyOf(listenerNumber), listener, route)
          if (session === undefined) continue
          session.lastMs = now
          const start = batch.offset(index)
          const length = batch.length(index)
          if (session.socket !== undefined) {
            session.socket.send(this.#scratch, 0, batch.bytes, start, length)
          } else if (session.queue.length < queueLimit) {
            session.queue.push(Buffer.from(batch.bytes.subarray(start, start + length)))
          }
        }
      },
      onError: () => {},
    }
  }

  /** Ends the sessions of a frontend whose endpoint serves no more. */
  endpointsChanged(frontend: string, servingAddresses: readonly string[]): void {
    const serving = new Set(servingAddresses)
    for (const session of this.#flows.leaving(frontend, (address) => serving.has(address))) {
      this.#close(session)
    }
  }

  /** Ends all sessions. */
  close(): void {
    for (const session of this.#sessions.values()) this.#close(session)
  }

  /** The session of the record in `#scratch`. */
  #find(listenerNumber: number): Session | undefined {
    const recent = this.#recent.find(this.#scratchWords, listenerNumber)
    if (recent?.isClosed === false) return recent
    const found = this.#sessions.get(this.#keyOf(listenerNumber))
    if (found !== undefined) this.#recent.note(this.#scratchWords, listenerNumber, found)
    return found
  }

  #keyOf(listenerNumber: number): string {
    return `${listenerNumber} ${toByteString(this.#scratch)}`
  }

  #open(
    key: string,
    listener: DatagramSocket,
    route: (client: SocketAddress) => RelayTarget | undefined,
  ): Session | undefined {
    const client = readPeerAddress(this.#scratch, 0)
    const target = route(client)
    if (target === undefined) return undefined
    const victim = this.#sessions.isFull ? this.#sessions.victim() : undefined
    if (victim !== undefined) this.#close(victim)
    const backend = this.#picker.pick(target.pool, client.address)
    const tag = this.#nextTag++
    const session: Session = {
      key,
      client: client.address,
      record: this.#scratch.slice(),
      listener,
      socket: undefined,
      queue: [],
      isAnswered: false,
      isClosed: false,
      lastMs: this.#now(),
      tag,
      timer: this.#reactor.startTimer(
        this.#options.sessionTimeoutMs.unanswered,
        tag,
        this.#timedOut,
      ),
    }
    this.#byTag.set(tag, session)
    this.#sessions.add(key, session)
    this.#flows.add(session, target.frontend, backend.address)
    const any = familyOf(backend.address) === 4 ? '0.0.0.0' : '::'
    const source = keptClient(this.#options, target, client.address, backend)
    void this.#reactor
      .openDatagram(
        {
          address: source ?? { address: any, port: 0 },
          peer: backend,
          isTransparent: source !== undefined,
        },
        this.#answers,
      )
      .then(
        (socket) => this.#opened(session, socket),
        // No free descriptor, say: the client sends again, and the next try is a new session.
        () => this.#close(session),
      )
    return session
  }

  #opened(session: Session, socket: DatagramSocket): void {
    if (session.isClosed) {
      socket.close()
      return
    }
    session.socket = socket
    this.#bySocket.set(socket, session)
    for (const bytes of session.queue) socket.send(session.record, 0, bytes, 0, bytes.length)
    session.queue.length = 0
  }

  readonly #answers: DatagramHandler = {
    onBatch: (socket, batch) => {
      const session = this.#bySocket.get(socket)
      if (session === undefined) return
      session.isAnswered = true
      session.lastMs = this.#now()
      for (let index = 0; index < batch.count; index++) {
        const { listener, record } = session
        listener.send(record, 0, batch.bytes, batch.offset(index), batch.length(index))
      }
    },
    // Nobody listens at the endpoint: what the client sends next is a new flow.
    onError: (socket) => {
      const session = this.#bySocket.get(socket)
      if (session !== undefined) this.#close(session)
    },
  }

  /** Sending only notes the time; a timer that fires too early is started again for the rest. */
  readonly #timedOut = (tag: number): void => {
    const session = this.#byTag.get(tag)
    this.#byTag.delete(tag)
    if (session === undefined || session.isClosed) return
    const { unanswered, answered } = this.#options.sessionTimeoutMs
    const restMs = session.lastMs + (session.isAnswered ? answered : unanswered) - this.#now()
    if (restMs <= 0) {
      this.#close(session)
      return
    }
    this.#byTag.set(tag, session)
    session.timer = this.#reactor.startTimer(restMs, tag, this.#timedOut)
  }

  #close(session: Session): void {
    if (session.isClosed) return
    session.isClosed = true
    this.#reactor.stopTimer(session.timer)
    this.#byTag.delete(session.tag)
    this.#sessions.delete(session.key)
    this.#flows.remove(session)
    if (session.socket === undefined) return
    this.#bySocket.delete(session.socket)
    session.socket.close()
  }
}
