import { systemClock } from '../../src/kube/clock.ts'
import type { EndpointSlice, Kind, Node, Resources, Service } from '../../src/kube/resources.ts'
import type { ClusterSource, Selection, Sink } from '../../src/kube/store.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { createProxyMetrics } from '../../src/observe/proxy-metrics.ts'
import { configureProxy, type FlagTexts } from '../../src/proxy/config/configure-proxy.ts'
import { resolveProxyOptions } from '../../src/proxy/config/proxy-options.ts'
import type { PlanChange } from '../../src/proxy/plan/plan.ts'
import type { Mechanism, Plan, SyncReport } from '../../src/proxy/port/mechanism.ts'
import type { ProxyParts } from '../../src/proxy/proxy-parts.ts'
import { runProxy } from '../../src/proxy/run-proxy.ts'
import { RunningSetup } from '../../src/proxy/running-setup.ts'
import { parseCluster } from '../support/plan-fixture.ts'

const cluster = parseCluster(`
  service web 10.96.0.10 http:80/TCP
  slice web-1 of web http:8080/TCP | 10.1.0.4@n1`)

/** The node of the proxy. */
export const node: Node = {
  kind: 'Node',
  namespace: '',
  name: 'n1',
  labels: {},
  annotations: {},
  resourceVersion: '1',
  addresses: ['192.168.0.1'],
  podCIDRs: [],
}

/** A source whose sinks the test fills, and a mechanism that records. */
export class World implements ClusterSource {
  readonly selections = new Map<Kind, Selection>()
  readonly sinks: { -readonly [K in Kind]?: Sink<Resources[K]> } = {}
  readonly plans: Plan[] = []
  readonly updates: PlanChange[] = []
  readonly lines: string[] = []
  readonly abort = new AbortController()
  readonly metrics = createProxyMetrics()
  addressesChanged: () => void = () => {}
  localAddresses = ['127.0.0.1', '192.168.0.1']
  /** What mechanisms were asked for, in order. */
  readonly events: string[] = []
  settledCount = 0
  setup: RunningSetup | undefined
  /** Ends the watch of Services with an error. */
  readonly broken = Promise.withResolvers<void>()
  #wake = Promise.withResolvers<void>()

  async watch<K extends Kind>(
    kind: K,
    selection: Selection,
    sink: Sink<Resources[K]>,
    signal: AbortSignal,
  ): Promise<void> {
    this.selections.set(kind, selection)
    const sinks: { [P in K]?: Sink<Resources[P]> } = this.sinks
    sinks[kind] = sink
    const { promise, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
    await Promise.race([promise, kind === 'Service' ? this.broken.promise : promise])
  }

  /** The complete lists, in this order. */
  async list(...kinds: readonly Kind[]): Promise<void> {
    for (const kind of kinds) {
      if (kind === 'Service') this.sinks.Service?.replace(cluster.services as Service[])
      if (kind === 'EndpointSlice')
        this.sinks.EndpointSlice?.replace(cluster.slices as EndpointSlice[])
      if (kind === 'Node') this.sinks.Node?.replace([node])
      if (kind === 'ServiceCIDR') this.sinks.ServiceCIDR?.replace([])
      await new Promise(setImmediate)
    }
  }

  /** Resolves when the condition holds; looked at after every synchronisation and log line. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#wake.promise
  }

  noticed(): void {
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  run(flags: FlagTexts = {}, leftovers: readonly Mechanism[] = []): Promise<void> {
    const { configuration, disabledServers } = configureProxy(
      { 'healthz-bind-address': '', 'metrics-bind-address': '', ...flags },
      undefined,
    )
    const options = resolveProxyOptions(configuration, 'n1')
    const isOff = (name: 'healthz' | 'metrics') => disabledServers.includes(name)
    const first = {
      ...options,
      healthzAddress: isOff('healthz') ? undefined : options.healthzAddress,
      metricsAddress: isOff('metrics') ? undefined : options.metricsAddress,
    }
    const setup = new RunningSetup(
      { options: first, mechanism: recordingMechanism(this) },
      leftovers,
    )
    this.setup = setup
    const parts: ProxyParts = {
      source: this,
      setup,
      logger: recordingLogger(this),
      metrics: this.metrics,
      clock: systemClock,
      stopwatch: () => performance.now(),
      localAddresses: () => this.localAddresses,
      watchAddresses: (changed) => {
        this.addressesChanged = changed
      },
      conntrack: undefined,
      settled: () => {
        this.settledCount++
        this.noticed()
      },
    }
    return runProxy(parts, this.abort.signal)
  }
}

/** `refusals`: how often the kernel refuses a synchronisation. */
export function recordingMechanism(world: World, name = 'recording', refusals = 0): Mechanism {
  const report: SyncReport = { transactions: 1, operations: 1, bytes: 10 }
  const note = (what: string) => {
    world.events.push(`${name} ${what}`)
    world.noticed()
  }
  let refused = 0
  return {
    name,
    async synchronize(plan) {
      if (refused++ < refusals) {
        note('refused')
        throw new Error(`${name}: EOPNOTSUPP`)
      }
      note('complete')
      world.plans.push({ node: plan.node, services: new Map(plan.services) })
      return report
    },
    async update(changes) {
      world.updates.push(...changes)
      return report
    },
    compare: async () => [],
    trace: async () => ({ verdict: { kind: 'untouched' }, path: [] }),
    watchDrift: () => {},
    async cleanup() {
      note('removed')
      return report
    },
    close: () => note('closed'),
  }
}

function recordingLogger(world: World): Logger {
  const write = (_: unknown, message: string): void => {
    world.lines.push(message)
    world.noticed()
  }
  return { error: write, warn: write, info: write, debug: write }
}

/** All kinds, in the order in which tests list them. */
export const everything = ['Node', 'ServiceCIDR', 'Service', 'EndpointSlice'] as const

/** Starts a proxy and waits for its first synchronisation. */
export async function start(
  flags: FlagTexts = {},
): Promise<{ world: World; ended: Promise<void> }> {
  const world = new World()
  const ended = world.run(flags)
  await world.list(...everything)
  await world.until(() => world.lines.includes('synchronised'))
  return { world, ended }
}
