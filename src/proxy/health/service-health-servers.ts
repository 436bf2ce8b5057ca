import type { HttpRoute, ListeningServer } from '../../observe/http-server.ts'
import type { ServiceHealth } from '../plan/plan.ts'
import { serviceHealthAnswer } from './service-health-answer.ts'

/** What the servers work with. */
export interface ServiceHealthOptions {
  /** Opens one server; rejects when the port cannot be bound. */
  readonly listen: (host: string, port: number, route: HttpRoute) => Promise<ListeningServer>
  readonly isProxyHealthy: () => boolean
  /** A server could not be opened; it is tried again when the service or the addresses change. */
  readonly failed: (service: string, port: number, error: Error) => void
}

interface Entry {
  health: ServiceHealth
  /** Replaced as a whole when the port or the hosts change; settles when all its servers listen. */
  servers: Promise<readonly ListeningServer[]>
}

/** One HTTP server per service with a healthCheckNodePort, on the node-port addresses. A server is opened
 *  and closed only when its port or the addresses change; a new endpoint count is only remembered. */
export class ServiceHealthServers {
  readonly #options: ServiceHealthOptions
  readonly #entries = new Map<string, Entry>()
  #hosts: readonly string[]
  /** Steps are taken one after the other, so that a port moves from one service to another. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: ServiceHealthOptions, hosts: readonly string[]) {
    this.#options = options
    this.#hosts = hosts
  }

  /** Sets or (undefined) removes what a service's port answers. */
  set(service: string, health: ServiceHealth | undefined): void {
    const entry = this.#entries.get(service)
    if (health === undefined) {
      this.#entries.delete(service)
      if (entry !== undefined) this.#close(entry)
    } else if (entry?.health.port === health.port) entry.health = health
    else {
      if (entry !== undefined) this.#close(entry)
      this.#open(service, health)
    }
  }

  /** Keeps exactly these services; for a complete plan. */
  replace(services: Iterable<readonly [string, ServiceHealth | undefined]>): void {
    const kept = new Set<string>()
    const wanted = [...services].filter(([, health]) => health !== undefined)
    for (const [service] of wanted) kept.add(service)
    for (const service of [...this.#entries.keys()]) {
      if (!kept.has(service)) this.set(service, undefined)
    }
    for (const [service, health] of wanted) this.set(service, health)
  }

  /** Moves all servers to other addresses; nothing happens when they are the same. */
  setHosts(hosts: readonly string[]): void {
    if (hosts.join() === this.#hosts.join()) return
    this.#hosts = hosts
    for (const [service, entry] of [...this.#entries]) {
      this.#close(entry)
      this.#open(service, entry.health)
    }
  }

  /** Resolves when everything asked for so far listens or is closed. */
  async settled(): Promise<void> {
    await this.#last
  }

  /** Closes all servers. */
  async close(): Promise<void> {
    this.replace([])
    await this.settled()
  }

  #open(service: string, health: ServiceHealth): void {
    const hosts = this.#hosts
    const entry: Entry = { health, servers: Promise.resolve([]) }
    const route: HttpRoute = () =>
      serviceHealthAnswer(service, entry.health.localEndpoints, this.#options.isProxyHealthy())
    entry.servers = this.#afterLast(() => this.#listen(service, health.port, hosts, route))
    this.#entries.set(service, entry)
  }

  #close(entry: Entry): void {
    const { servers } = entry
    void this.#afterLast(async () => {
      for (const server of await servers) await server.close()
    })
  }

  async #listen(
    service: string,
    port: number,
    hosts: readonly string[],
    route: HttpRoute,
  ): Promise<readonly ListeningServer[]> {
    const servers: ListeningServer[] = []
    try {
      for (const host of hosts) servers.push(await this.#options.listen(host, port, route))
      return servers
    } catch (error) {
      for (const server of servers) await server.close()
      this.#options.failed(service, port, error instanceof Error ? error : new Error(String(error)))
      return []
    }
  }

  #afterLast<T>(step: () => Promise<T>): Promise<T> {
    const next = this.#last.then(step)
    this.#last = next.catch(() => {})
    return next
  }
}
