import type { Flow } from '../../net/flow.ts'
import type { EngineName } from '../../reactor/reactor.ts'
import { frontendKey, type PlanChange, type ServicePlan } from '../plan/plan.ts'
import type { Difference, Mechanism, Plan, SyncReport } from '../port/mechanism.ts'
import type { TracedVerdict } from '../port/verdict.ts'
import type { RelayOptions } from '../relay/relay-options.ts'
import { whyNotRelayed } from '../relay/why-not-relayed.ts'
import { ServiceListeners } from './service-listeners.ts'
import { type ServicePort, servicePortKey, servicePorts } from './service-port.ts'
import { removeTableFile, writeTableFile } from './table-file.ts'

/** What this mode can be told. */
export interface PortableOptions {
  readonly relay: RelayOptions
  /** Undefined: the best engine that works here. */
  readonly engine?: EngineName
  /** Where the table of places is kept for others to read; undefined: nowhere. */
  readonly tableFile: string | undefined
  /** Takes sentences about what cannot be served. */
  readonly warn: (text: string) => void
  /** Takes a sentence about the engine that was taken. */
  readonly inform: (text: string) => void
}

/** Opens the mechanism: any system, any user. Listens nowhere yet. */
export function openPortableMechanism(options: PortableOptions): PortableMechanism {
  return new PortableMechanism(options)
}

/** Services for processes of this machine, each port at a place of its own on loopback. Nothing is asked of the
 *  kernel but sockets, so there is nothing to read, to repair or to leave behind. */
export class PortableMechanism implements Mechanism {
  readonly name = 'portable'
  readonly #options: PortableOptions
  /** Undefined until something is served: a process that only looks has none. */
  #listeners: ServiceListeners | undefined
  /** What is served, by service. */
  #services = new Map<string, ServicePlan>()
  /** What was warned about, so that it is said once. */
  readonly #warned = new Set<string>()
  #written = ''

  constructor(options: PortableOptions) {
    this.#options = options
  }

  /** The engine that moves the bytes, for logs. */
  get way(): string {
    return this.#listeners?.reactor.reason ?? 'relays'
  }

  async synchronize({ services }: Plan): Promise<SyncReport> {
    const gone = [...this.#services.keys()].filter((service) => !services.has(service))
    // In the order of names, so that those who want the same place get it in the same order each time.
    const all = [...services.keys()].sort()
    return this.#serve([
      ...gone.map((service) => ({ service, after: undefined })),
      ...all.map((service) => ({ service, after: services.get(service) })),
    ])
  }

  update(changes: readonly PlanChange[]): Promise<SyncReport> {
    return this.#serve(changes)
  }

  compare(): Promise<readonly Difference[]> {
    return Promise.resolve([])
  }

  trace(flow: Flow, _localAddresses: readonly string[], plan?: Plan): Promise<TracedVerdict> {
    const services = plan?.services ?? this.#services
    const key = frontendKey({
      family: flow.family,
      protocol: flow.protocol,
      address: flow.destination,
      port: flow.destinationPort,
    })
    const frontend = [...services.values()]
      .flatMap(({ frontends }) => frontends)
      .find((each) => frontendKey(each) === key)
    const limit =
      frontend === undefined
        ? 'portable mode leaves the kernel alone'
        : (whyNotRelayed(frontend) ??
          `${frontend.service} is served on loopback: portolan status --portable-table FILE tells where`)
    return Promise.resolve({ verdict: { kind: 'untouched' }, path: [], limit })
  }

  watchDrift(): void {}

  async drain(signal: AbortSignal): Promise<void> {
    await this.cleanup()
    await this.#listeners?.drained(signal)
  }

  cleanup(): Promise<SyncReport> {
    if (this.#options.tableFile !== undefined) removeTableFile(this.#options.tableFile)
    this.#written = ''
    return Promise.resolve({ transactions: 0, operations: 0, bytes: 0 })
  }

  /** Ends all relays; places are free at once. */
  close(): void {
    if (this.#listeners !== undefined) void this.cleanup()
    this.#listeners?.close()
  }

  async #serve(
    changes: readonly { readonly service: string; readonly after: ServicePlan | undefined }[],
  ): Promise<SyncReport> {
    const listeners = this.#openListeners()
    const ports = changes.flatMap(({ service, after }) =>
      portChanges(this.#services.get(service), after),
    )
    for (const { service, after } of changes) {
      if (after === undefined) this.#services.delete(service)
      else this.#services.set(service, after)
      this.#warnAbout(after)
    }
    const operations = await listeners.update(ports)
    this.#publish(listeners)
    return { transactions: Math.sign(operations), operations, bytes: 0 }
  }

  #openListeners(): ServiceListeners {
    if (this.#listeners !== undefined) return this.#listeners
    const { relay, engine, inform } = this.#options
    const listeners = new ServiceListeners({ relay, ...(engine === undefined ? {} : { engine }) })
    inform(`bytes are moved by ${listeners.reactor.reason}`)
    this.#listeners = listeners
    return listeners
  }

  #publish(listeners: ServiceListeners): void {
    const rows = listeners.table()
    for (const row of rows) {
      const what = servicePortKey(row)
      if (row.failure === undefined) this.#warned.delete(what)
      else this.#warnOnce(what, `${what} is not served: ${row.failure}`)
    }
    const { tableFile } = this.#options
    const text = JSON.stringify(rows)
    if (tableFile === undefined || text === this.#written) return
    writeTableFile(tableFile, rows)
    this.#written = text
  }

  #warnAbout(plan: ServicePlan | undefined): void {
    for (const frontend of plan?.frontends ?? []) {
      const reason = whyNotRelayed(frontend)
      if (reason === undefined) continue
      const key = frontendKey(frontend)
      this.#warnOnce(key, `${frontend.service}: ${key} is not served: ${reason}`)
    }
  }

  #warnOnce(what: string, text: string): void {
    if (this.#warned.has(what)) return
    this.#warned.add(what)
    this.#options.warn(text)
  }
}

/** Every port of a service, with what it was before: those that have failed are to be tried again. */
function portChanges(
  before: ServicePlan | undefined,
  after: ServicePlan | undefined,
): { readonly before: ServicePort | undefined; readonly after: ServicePort | undefined }[] {
  const old = new Map((before ? servicePorts(before) : []).map((port) => [port.key, port]))
  const present = after ? servicePorts(after) : []
  const changes = present.map((port) => {
    const change = { before: old.get(port.key), after: port }
    old.delete(port.key)
    return change
  })
  return [...[...old.values()].map((port) => ({ before: port, after: undefined })), ...changes]
}
