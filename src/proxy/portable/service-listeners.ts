import { openReactor } from '../../reactor/open-reactor.ts'
import type { EngineName, Reactor } from '../../reactor/reactor.ts'
import type { Pool } from '../plan/plan.ts'
import { EndpointPicker } from '../relay/endpoint-picker.ts'
import type { RelayOptions } from '../relay/relay-options.ts'
import { TcpRelay } from '../relay/tcp-relay.ts'
import { UdpRelay } from '../relay/udp-relay.ts'
import { type PlacedPort, placedPort } from './place-table.ts'
import { openPortListener, type PortListener } from './port-listener.ts'
import type { ServicePort } from './service-port.ts'

/** What the listeners of a machine work with. */
export interface ServiceListenersOptions {
  readonly relay: RelayOptions
  /** Undefined: the best that works here, which is Node's own sockets where there is no FFI. */
  readonly engine?: EngineName
}

interface Entry {
  port: ServicePort
  listener: PortListener | undefined
  /** Why there is no listener. */
  failure: string | undefined
}

/** A listener for each service port, and the relays behind them. They live in this process and end with it. */
export class ServiceListeners {
  readonly reactor: Reactor
  readonly #ending = new AbortController()
  readonly #picker = new EndpointPicker({ random: Math.random, now: () => performance.now() })
  readonly #tcp: TcpRelay
  readonly #udp: UdpRelay
  readonly #entries = new Map<string, Entry>()
  /** Set while draining. */
  #onIdle: (() => void) | undefined

  constructor({ relay, engine }: ServiceListenersOptions) {
    this.reactor = openReactor({ engine }, this.#ending.signal)
    const clock = { now: () => performance.now(), random: Math.random }
    this.#tcp = new TcpRelay(this.reactor, this.#picker, relay, () => this.#flowEnded())
    this.#udp = new UdpRelay(this.reactor, this.#picker, relay, clock)
  }

  /** Takes over changed ports: `before` without `after` is served no more. Listens where that is needed, again
   *  where it has failed before. Gives the number of listeners opened and closed. */
  async update(
    changes: Iterable<{
      readonly before: ServicePort | undefined
      readonly after: ServicePort | undefined
    }>,
  ): Promise<number> {
    let operations = 0
    const wanted: Entry[] = []
    for (const { before, after } of changes) {
      if (after === undefined) {
        if (before !== undefined && this.#remove(before.key)) operations++
        continue
      }
      const entry = this.#take(after)
      if (entry.listener === undefined) wanted.push(entry)
    }
    for (const entry of wanted) if (await this.#listen(entry)) operations++
    return operations
  }

  /** The rows of all ports, sorted by service; ports of one service in its own order. */
  table(): readonly PlacedPort[] {
    return [...this.#entries.values()]
      .map(({ port, listener, failure }) => placedPort(port, listener?.place, failure))
      .sort((left, right) =>
        left.service === right.service ? 0 : left.service < right.service ? -1 : 1,
      )
  }

  /** Takes no new flows; resolves when the connections under way have ended, or with the signal. */
  async drained(signal: AbortSignal): Promise<void> {
    for (const { listener } of this.#entries.values()) listener?.close()
    this.#entries.clear()
    this.#udp.close()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onIdle = resolve
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
    this.#flowEnded()
    await promise
  }

  /** Ends everything, connections under way with it. */
  close(): void {
    this.#udp.close()
    this.#ending.abort()
  }

  #take(port: ServicePort): Entry {
    const entry = this.#entries.get(port.key)
    if (entry === undefined) {
      const fresh: Entry = { port, listener: undefined, failure: undefined }
      this.#entries.set(port.key, fresh)
      return fresh
    }
    const before = entry.port
    entry.port = port
    this.#poolChanged(before.key, before.pool, port)
    if (before.port !== port.port) {
      entry.listener?.close()
      entry.listener = undefined
    }
    return entry
  }

  #remove(key: string): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#entries.delete(key)
    entry.listener?.close()
    this.#poolChanged(key, entry.port.pool, undefined)
    return entry.listener !== undefined
  }

  #poolChanged(key: string, before: Pool | undefined, after: ServicePort | undefined): void {
    if (before !== undefined && before.key !== after?.pool?.key) {
      this.#picker.affinity.forget(before.key)
    }
    this.#tcp.endpointsChanged(key, after?.pool?.backends ?? [])
    this.#udp.endpointsChanged(key, after?.servingAddresses ?? [])
  }

  async #listen(entry: Entry): Promise<boolean> {
    const { key } = entry.port
    try {
      const parts = { reactor: this.reactor, tcp: this.#tcp, udp: this.#udp }
      entry.listener = await openPortListener(parts, entry.port, () => {
        const { pool } = entry.port
        return pool === undefined ? undefined : { frontend: key, pool }
      })
      entry.failure = undefined
      return true
    } catch (error) {
      entry.failure = error instanceof Error ? error.message : String(error)
      return false
    }
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
