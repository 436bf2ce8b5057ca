import { aborted } from '../net/aborted.ts'
import { listenHttp } from '../observe/http-server.ts'
import type { Logger } from '../observe/logger.ts'
import { bringIntoForce } from './bring-into-force.ts'
import type { NodeSettings } from './config/node-settings.ts'
import type { ProxyHealth } from './health/proxy-health.ts'
import { ServiceHealthServers } from './health/service-health-servers.ts'
import { NodeWatch } from './node-watch.ts'
import { observeProxy, type ProxyObservers } from './observe-proxy.ts'
import type { NodePlan } from './plan/plan.ts'
import { Planner } from './plan/planner.ts'
import type { ProxyParts } from './proxy-parts.ts'
import { Reconciler } from './reconciler.ts'
import type { ClusterStores } from './watch-cluster.ts'

/** Keeps the kernel equal to the stores until the signal is aborted, in rounds: what a planner knows of
 *  pods, and a setup, cannot change under a reconciler; with new ones a new round starts. */
export async function serveCluster(
  parts: ProxyParts,
  stores: ClusterStores,
  health: ProxyHealth,
  signal: AbortSignal,
): Promise<void> {
  const { setup, logger, clock, localAddresses, watchAddresses } = parts
  const ofNode = Promise.all([stores.nodes.synced, stores.serviceCidrs.synced])
  await Promise.race([ofNode, aborted(signal)])
  if (signal.aborted) return
  const node = new NodeWatch({
    options: () => (setup.change?.next ?? setup.present).options,
    nodes: stores.nodes,
    serviceCidrs: stores.serviceCidrs,
    localAddresses,
    watchAddresses,
    clock,
  })
  watchEligibility(stores, setup.present.options.nodeName, health, signal)
  const serviceHealth = openServiceHealth(parts, node.settings.plan, health)
  const setHosts = ({ plan }: NodeSettings) =>
    serviceHealth.setHosts(healthHosts(plan, localAddresses()))
  let changed: (settings: NodeSettings) => void = () => {}
  node.follow((settings) => {
    setHosts(settings)
    changed(settings)
  }, signal)
  const observers = observeProxy(parts, { stores, node, serviceHealth, health }, signal)
  while (!signal.aborted) {
    node.refresh()
    setHosts(node.settings)
    const round = new AbortController()
    setup.follow(() => round.abort())
    const ending = AbortSignal.any([signal, round.signal])
    await podCidrsKnown(node, logger, ending, (listener) => {
      changed = listener
    })
    if (ending.aborted) continue
    const { reconciler, finish } = openRound(parts, stores, node.settings, observers, round)
    const detector = JSON.stringify(node.settings.plan.podDetector)
    changed = ({ plan, identity }) => {
      logger.info({ addresses: identity.addresses }, 'the settings of this node changed')
      if (JSON.stringify(plan.podDetector) !== detector) round.abort()
      else reconciler.setNode(plan, identity)
    }
    await reconciler.run(ending)
    await finish()
  }
  await serviceHealth.close()
}

function openRound(
  parts: ProxyParts,
  { services, slices }: ClusterStores,
  { plan, identity }: NodeSettings,
  { observer, follow }: ProxyObservers,
  round: AbortController,
): { readonly reconciler: Reconciler; readonly finish: () => Promise<void> } {
  const { setup, clock, stopwatch, logger } = parts
  const { change } = setup
  const { options, mechanism } = change?.next ?? setup.present
  const changing =
    change === undefined
      ? { observer, finish: async () => {} }
      : bringIntoForce(change, observer, logger, () => round.abort())
  const reconciler = new Reconciler({
    services,
    slices,
    planner: new Planner({ identity, node: plan }),
    mechanism: follow(mechanism),
    node: plan,
    observer: changing.observer,
    minSyncPeriodMs: options.minSyncPeriodMs,
    syncPeriodMs: options.syncPeriodMs,
    clock,
    stopwatch,
  })
  return { reconciler, finish: changing.finish }
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
