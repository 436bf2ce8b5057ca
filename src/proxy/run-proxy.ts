import type { Clock } from '../kube/clock.ts'
import type { ClusterSource } from '../kube/store.ts'
import { listenHttp } from '../observe/http-server.ts'
import type { Logger } from '../observe/logger.ts'
import { metricsRoutes } from '../observe/metrics-routes.ts'
import type { ProxyMetrics } from '../observe/proxy-metrics.ts'
import { describeConfiguration } from './config/describe-configuration.ts'
import type { NodeSettings } from './config/node-settings.ts'
import type { ProxyOptions } from './config/proxy-options.ts'
import type { ConntrackFollowerParts } from './conntrack-follower.ts'
import { healthRoutes } from './health/health-routes.ts'
import { ProxyHealth } from './health/proxy-health.ts'
import { ServiceHealthServers } from './health/service-health-servers.ts'
import { NodeWatch } from './node-watch.ts'
import { observeProxy } from './observe-proxy.ts'
import type { NodePlan } from './plan/plan.ts'
import { Planner } from './plan/planner.ts'
import type { Mechanism } from './port/mechanism.ts'
import { Reconciler } from './reconciler.ts'
import { type StatusServer, serveStatus } from './serve-status.ts'
import { type ClusterStores, watchCluster } from './watch-cluster.ts'

/** What a proxy is put together from. */
export interface ProxyParts {
  readonly source: ClusterSource
  readonly options: ProxyOptions
  readonly mechanism: Mechanism
  readonly logger: Logger
  readonly metrics: ProxyMetrics
  readonly clock: Clock
  /** Monotonic milliseconds with fractions, for durations. */
  readonly stopwatch: () => number
  readonly localAddresses: () => readonly string[]
  readonly watchAddresses: (changed: () => void, signal: AbortSignal) => void
  /** Ends UDP flows to endpoints that are gone; undefined: they end by themselves. */
  readonly conntrack: ConntrackFollowerParts['connection'] | undefined
  /** Called once, after the first synchronisation: what only the start needed can go. */
  readonly settled: () => void
}

/** Serves the cluster's services on this node until the signal is aborted; the rules stay then. Nothing is
 *  written before the complete state is known. Rejects when the source cannot go on, or when a port cannot
 *  be bound and that is asked to be an error. */
export async function runProxy(parts: ProxyParts, signal: AbortSignal): Promise<void> {
  const ending = new AbortController()
  const living = AbortSignal.any([signal, ending.signal])
  const health = new ProxyHealth({
    now: () => parts.clock.now(),
    timeoutMs: parts.options.healthTimeoutMs,
  })
  const stores = watchCluster(parts.source, parts.options.nodeName, living)
  const running = [
    stores.ended,
    ...statusServers(parts, health).map((server) =>
      serveStatus(
        server,
        { isHardFail: parts.options.bindAddressHardFail, logger: parts.logger, clock: parts.clock },
        living,
      ),
    ),
    serveCluster(parts, stores, health, living),
  ]
  // The first part that ends, well or badly, ends the others; all are waited for.
  await Promise.race([Promise.all(running), aborted(living)]).catch((error: unknown) => {
    ending.abort(error)
  })
  ending.abort()
  const outcomes = await Promise.allSettled(running)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

async function serveCluster(
  parts: ProxyParts,
  stores: ClusterStores,
  health: ProxyHealth,
  signal: AbortSignal,
): Promise<void> {
  const { options, logger, clock, localAddresses, watchAddresses } = parts
  const ofNode = Promise.all([stores.nodes.synced, stores.serviceCidrs.synced])
  await Promise.race([ofNode, aborted(signal)])
  if (signal.aborted) return
  const node = new NodeWatch({
    options,
    nodes: stores.nodes,
    serviceCidrs: stores.serviceCidrs,
    localAddresses,
    watchAddresses,
    clock,
  })
  watchEligibility(stores, options.nodeName, health, signal)
  const serviceHealth = openServiceHealth(parts, node.settings.plan, health)
  let changed: (settings: NodeSettings) => void = () => {}
  node.follow((settings) => {
    serviceHealth.setHosts(healthHosts(settings.plan, localAddresses()))
    changed(settings)
  }, signal)
  const { mechanism, observer } = observeProxy(
    parts,
    { stores, node, serviceHealth, health },
    signal,
  )
  while (!signal.aborted) {
    await podCidrsKnown(node, logger, signal, (listener) => {
      changed = listener
    })
    // What a planner knows of pods cannot change under it: with a new pod detector a new one starts.
    const round = new AbortController()
    const { plan, identity } = node.settings
    const detector = JSON.stringify(plan.podDetector)
    const reconciler = new Reconciler({
      services: stores.services,
      slices: stores.slices,
      planner: new Planner({ identity, node: plan }),
      mechanism,
      node: plan,
      observer,
      minSyncPeriodMs: options.minSyncPeriodMs,
      syncPeriodMs: options.syncPeriodMs,
      clock,
      stopwatch: parts.stopwatch,
    })
    changed = (settings) => {
      logger.info({ addresses: settings.identity.addresses }, 'the settings of this node changed')
      if (JSON.stringify(settings.plan.podDetector) !== detector) round.abort()
      else reconciler.setNode(settings.plan, settings.identity)
    }
    await reconciler.run(AbortSignal.any([signal, round.signal]))
  }
  await serviceHealth.close()
}

/** Waits for the node's podCIDRs where they are needed, as the original does. */
async function podCidrsKnown(
  node: NodeWatch,
  logger: Logger,
  signal: AbortSignal,
  onChange: (listener: () => void) => void,
): Promise<void> {
  if (node.isComplete || signal.aborted) return
  const { nodeName } = node.settings.identity
  logger.warn(
    { node: nodeName },
    'waiting for podCIDRs of the Node object (detectLocalMode: NodeCIDR)',
  )
  const { promise, resolve } = Promise.withResolvers<void>()
  onChange(() => {
    if (node.isComplete) resolve()
  })
  await Promise.race([promise, aborted(signal)])
}

function openServiceHealth(
  { logger, localAddresses }: ProxyParts,
  plan: NodePlan,
  health: ProxyHealth,
): ServiceHealthServers {
  return new ServiceHealthServers(
    {
      listen: (host, port, route) => listenHttp('service health check', { host, port }, route),
      isProxyHealthy: () => health.isHealthy,
      failed: (service, port, error) => logger.error({ service, port }, error.message),
    },
    healthHosts(plan, localAddresses()),
  )
}

/** Where healthCheckNodePorts listen: like node ports. */
function healthHosts(plan: NodePlan, localAddresses: readonly string[]): readonly string[] {
  if (plan.nodePortAddresses !== 'any-local') return plan.nodePortAddresses
  return [localAddresses.some((address) => address.includes(':')) ? '::' : '0.0.0.0']
}

function watchEligibility(
  stores: ClusterStores,
  nodeName: string,
  health: ProxyHealth,
  signal: AbortSignal,
): void {
  const present = stores.nodes.get(nodeName)
  health.setNodeEligible(present?.isLeaving !== true)
  const unsubscribe = stores.nodes.subscribe(({ key, after }) => {
    if (key !== nodeName) return
    health.setNodeEligible(after !== undefined && after.isLeaving !== true)
  })
  signal.addEventListener('abort', unsubscribe, { once: true })
}

function statusServers(parts: ProxyParts, health: ProxyHealth): readonly StatusServer[] {
  const { options, metrics, mechanism } = parts
  const servers: StatusServer[] = []
  if (options.healthzAddress !== undefined) {
    const route = healthRoutes(health, (page, status) => {
      const counter = page === 'healthz' ? metrics.healthzAnswers : metrics.livezAnswers
      counter.inc({ code: String(status) })
    })
    servers.push({ what: 'health server', address: options.healthzAddress, route })
  }
  if (options.metricsAddress !== undefined) {
    const configz = () => describeConfiguration(options.configuration)
    const route = metricsRoutes({ registry: metrics.registry, mode: mechanism.name, configz })
    servers.push({ what: 'metrics server', address: options.metricsAddress, route })
  }
  return servers
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}
