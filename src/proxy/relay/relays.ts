import { openReactor } from '../../reactor/open-reactor.ts'
import type { EngineName, Reactor } from '../../reactor/reactor.ts'
import { EndpointPicker } from './endpoint-picker.ts'
import type { RelayOptions } from './relay-options.ts'
import { TcpRelay } from './tcp-relay.ts'
import { UdpRelay } from './udp-relay.ts'

/** What relays work with. */
export interface RelaysOptions {
  readonly relay: RelayOptions
  /** Undefined: the best that works here, which is Node's own sockets where there is no FFI. */
  readonly engine?: EngineName
}

/** The relays of a process, and the reactor that moves their bytes. They end with it. */
export class Relays {
  readonly reactor: Reactor
  readonly picker: EndpointPicker
  readonly tcp: TcpRelay
  readonly udp: UdpRelay
  readonly #ending = new AbortController()
  /** Set while draining. */
  #onIdle: (() => void) | undefined

  constructor({ relay, engine }: RelaysOptions) {
    const clock = { now: () => performance.now(), random: Math.random }
    this.reactor = openReactor({ engine }, this.#ending.signal)
    this.picker = new EndpointPicker(clock)
    this.tcp = new TcpRelay(this.reactor, this.picker, relay, () => this.#flowEnded())
    this.udp = new UdpRelay(this.reactor, this.picker, relay, clock)
  }

  /** Ends UDP sessions; resolves when the connections under way have ended, or with the signal. New ones are the
   *  owner's, who closes the listeners before. */
  async drained(signal: AbortSignal): Promise<void> {
    this.udp.close()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onIdle = resolve
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
    this.#flowEnded()
    await promise
  }

  /** Ends everything, connections under way with it. */
  close(): void {
    this.udp.close()
    this.#ending.abort()
  }

  /** A connection counts until after the callback that says that it has closed. */
  #flowEnded(): void {
    const onIdle = this.#onIdle
    if (onIdle === undefined) return
    setImmediate(() => {
      if (this.reactor.counts.connections === 0) onIdle()
    })
  }
}
