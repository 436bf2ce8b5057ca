/** State of one address family's rules, as the health pages show it. */
export interface FamilyHealth {
  readonly lastUpdated: string
  readonly healthy: boolean
}

/** The body of /healthz and /livez: ProxyHealth of the original's pkg/proxy/healthcheck. */
export interface HealthReport {
  readonly lastUpdated: string
  readonly currentTime: string
  /** Only in /healthz. */
  readonly nodeEligible?: boolean
  readonly healthy: boolean
  readonly status?: Readonly<Record<'IPv4' | 'IPv6', FamilyHealth>>
}

/** What the health of a proxy depends on. */
export interface ProxyHealthOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Age at which a change that is not in the kernel yet makes the proxy unhealthy. */
  readonly timeoutMs: () => number
}

/** Whether changes reach the kernel in time. Both families are always written together. */
export class ProxyHealth {
  readonly #options: ProxyHealthOptions
  #lastUpdatedMs: number | undefined
  #oldestQueuedMs: number | undefined
  #isNodeEligible = true

  constructor(options: ProxyHealthOptions) {
    this.#options = options
  }

  /** A change arrived and waits. */
  queued(): void {
    this.#oldestQueuedMs ??= this.#options.now()
  }

  /** Everything that waited is in the kernel. */
  updated(): void {
    this.#oldestQueuedMs = undefined
    this.#lastUpdatedMs = this.#options.now()
  }

  /** Whether load balancers should send traffic to this node; false while it is being removed. */
  setNodeEligible(isEligible: boolean): void {
    this.#isNodeEligible = isEligible
  }

  /** Healthy while starting, and while no change has waited for too long. The node does not count. */
  get isHealthy(): boolean {
    if (this.#lastUpdatedMs === undefined || this.#oldestQueuedMs === undefined) return true
    return this.#options.now() - this.#oldestQueuedMs < this.#options.timeoutMs()
  }

  /** The answer of /healthz (the proxy works and the node stays) or /livez (the proxy works). */
  report(page: 'healthz' | 'livez'): { readonly isGood: boolean; readonly body: HealthReport } {
    const healthy = this.isHealthy
    const isGood = healthy && (page === 'livez' || this.#isNodeEligible)
    const currentTime = new Date(this.#options.now()).toISOString()
    const updated =
      this.#lastUpdatedMs === undefined ? undefined : new Date(this.#lastUpdatedMs).toISOString()
    const family = updated && { lastUpdated: updated, healthy }
    const body = {
      // A healthy answer shows the present time here: readers of old releases take it for a heartbeat.
      lastUpdated: isGood ? currentTime : (updated ?? neverUpdated),
      currentTime,
      ...(page === 'healthz' ? { nodeEligible: this.#isNodeEligible } : {}),
      healthy,
      ...(family ? { status: { IPv4: family, IPv6: family } } : {}),
    }
    return { isGood, body }
  }
}

/** Go's zero time. */
const neverUpdated = '0001-01-01T00:00:00Z'
