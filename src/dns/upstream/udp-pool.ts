import type { Clock } from '../../kube/clock.ts'
import type { Reactor, TimerId } from '../../reactor/reactor.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import type { Message } from '../wire/message.ts'
import { type UdpOwner, UdpPort, type UdpQuery } from './udp-port.ts'
import { UpstreamError } from './upstream.ts'

/** What queries are sent and timed by. */
export type UdpEngine = Pick<Reactor, 'openDatagram' | 'startTimer' | 'stopTimer'>

/** What a pool works with. */
export interface UdpPoolInputs {
  readonly label: string
  readonly address: string
  readonly port: number
  readonly clock: Clock
  readonly random: () => number
  readonly reactor: UdpEngine
  /** Age after which a socket gets no more queries, and so another port. */
  readonly expireMs: number
}

/** Sockets at a time: a forged reply must guess one of their ports, beside the id. */
const maxSockets = 32

/** A query is sent again after so long, in case it or its reply was lost; the last wait is for the reply. */
const waitsMs = [400, 800, 800] as const
const timeoutMs = waitsMs.reduce((sum, wait) => sum + wait, 0)

/** Size of a query: it has one question and few options. */
const maxQueryBytes = 4_096

/** Sends queries over UDP, from ports and with ids chosen by chance. Queries of one turn of the event loop share
 *  a port, so that they and their replies travel in batches; whoever forges a reply must guess it as before. */
export class UdpPool implements UdpOwner {
  readonly label: string
  readonly #inputs: UdpPoolInputs
  readonly #ports: (UdpPort | undefined)[] = []
  /** Queries that wait, at the number that their timers carry. */
  readonly #waiting: (UdpQuery | undefined)[] = []
  readonly #freeSlots: number[] = []
  /** The port of this turn. */
  #current: UdpPort | undefined
  #isClosed = false

  constructor(inputs: UdpPoolInputs) {
    this.#inputs = inputs
    this.label = inputs.label
  }

  /** Resolves with the reply. Rejects with an UpstreamError: no reply in time, or the port is closed. */
  exchange(message: Message): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new UpstreamError(this.label, 'is closed')
      const bytes = encodeMessage(message, maxQueryBytes)
      const slot = this.#freeSlots.pop() ?? this.#waiting.length
      const timer = this.#startTimer(slot, 0)
      const port = this.#choose()
      const query = { bytes, message, slot, timer, sentCount: 0, port, id: 0, resolve, reject }
      this.#waiting[slot] = query
      port.ask(query)
    })
  }

  /** Closes all sockets. */
  close(): void {
    this.#isClosed = true
    // Ports that were replaced may still have some.
    for (const query of this.#waiting) query?.port.giveUp(query, 'is closed')
    for (const port of this.#ports) port?.retire()
  }

  ended(query: UdpQuery): void {
    this.#inputs.reactor.stopTimer(query.timer)
    this.#waiting[query.slot] = undefined
    this.#freeSlots.push(query.slot)
  }

  /** A place by chance; the port there, or a new one when there is none or it is used up. */
  #choose(): UdpPort {
    const current = this.#current
    if (current !== undefined && !current.isUsedUp(this.#inputs.clock.now())) return current
    if (current === undefined) queueMicrotask(this.#forgetCurrent)
    this.#current = this.#chooseByChance()
    return this.#current
  }

  #chooseByChance(): UdpPort {
    const { address, port, clock, random, reactor, expireMs } = this.#inputs
    const index = Math.floor(random() * maxSockets)
    const found = this.#ports[index]
    if (found !== undefined && !found.isUsedUp(clock.now())) return found
    found?.retire()
    const endMs = clock.now() + expireMs
    const opened = new UdpPort({ peer: { address, port }, endMs, random, reactor, owner: this })
    this.#ports[index] = opened
    return opened
  }

  readonly #forgetCurrent = (): void => {
    this.#current = undefined
  }

  #startTimer(slot: number, sentCount: number): TimerId {
    return this.#inputs.reactor.startTimer(waitsMs[sentCount] ?? 0, slot, this.#onTimer)
  }

  readonly #onTimer = (slot: number): void => {
    const query = this.#waiting[slot]
    if (query === undefined) return
    query.sentCount++
    if (query.sentCount < waitsMs.length) {
      query.timer = this.#startTimer(slot, query.sentCount)
      query.port.send(query)
    } else query.port.giveUp(query, `no reply within ${timeoutMs} ms`)
  }
}
