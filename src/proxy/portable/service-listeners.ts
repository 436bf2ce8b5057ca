import type { Reactor } from '../../reactor/reactor.ts'
import type { Pool } from '../plan/plan.ts'
import { Relays, type RelaysOptions } from '../relay/relays.ts'
import { type PlacedPort, placedPort } from './place-table.ts'
import { openPortListener, type PortListener } from './port-listener.ts'
import type { ServicePort } from './service-port.ts'

interface Entry {
  port: ServicePort
  listener: PortListener | undefined
  /** Why there is no listener. */
  failure: string | undefined
}

/** A listener for each service port, and the relays behind them. They live in this process and end with it. */
export class ServiceListeners {
  readonly #relays: Relays
  readonly #entries = new Map<string, Entry>()

  constructor(options: RelaysOptions) {
    this.#relays = new Relays(options)
  }

  /** What moves the bytes. */
  get reactor(): Reactor {
    return this.#relays.reactor
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
    await this.#relays.drained(signal)
  }

  /** Ends everything, connections under way with it. */
  close(): void {
    this.#relays.close()
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
      this.#relays.picker.affinity.forget(before.key)
    }
    this.#relays.tcp.endpointsChanged(key, after?.pool?.backends ?? [])
    this.#relays.udp.endpointsChanged(key, after?.servingAddresses ?? [])
  }

  async #listen(entry: Entry): Promise<boolean> {
    const { key } = entry.port
    try {
      entry.listener = await openPortListener(this.#relays, entry.port, () => {
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
}
