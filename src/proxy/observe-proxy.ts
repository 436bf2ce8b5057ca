import { ipFamilies, type ProxyMetrics } from '../observe/proxy-metrics.ts'
import { type ConntrackFollowerParts, conntrackFollower } from './conntrack-follower.ts'
import { countNoLocalEndpoints } from './count-no-local-endpoints.ts'
import { followPlan, type PlanFollower } from './follow-plan.ts'
import type { ProxyHealth } from './health/proxy-health.ts'
import type { ServiceHealthServers } from './health/service-health-servers.ts'
import { measureProgramming } from './measure-programming.ts'
import type { NodeWatch } from './node-watch.ts'
import { observeReconciler } from './observe-reconciler.ts'
import type { Mechanism } from './port/mechanism.ts'
import type { ProxyParts } from './proxy-parts.ts'
import type { ReconcilerObserver } from './reconciler-observer.ts'
import type { ClusterStores } from './watch-cluster.ts'

/** What they look at. */
export interface ObservedProxy {
  readonly stores: ClusterStores
  readonly node: NodeWatch
  readonly serviceHealth: ServiceHealthServers
  readonly health: ProxyHealth
}

/** Who looks at what reconcilers do. */
export interface ProxyObservers {
  readonly observer: ReconcilerObserver
  /** The same mechanism; what it brings into the kernel is followed. */
  readonly follow: (mechanism: Mechanism) => Mechanism
}

/** The observers of a proxy: what reaches the kernel is followed by metrics, logs, health-check ports and
 *  the tracked UDP flows. */
export function observeProxy(
  parts: ProxyParts,
  observed: ObservedProxy,
  signal: AbortSignal,
): ProxyObservers {
  const { metrics, logger, clock } = parts
  const { stores, node, serviceHealth, health } = observed
  const now = () => clock.now()
  const observer = observeReconciler(metrics, logger, health, now)
  const programming = measureProgramming(
    stores.slices,
    now,
    (seconds) => {
      for (const ip_family of ipFamilies) {
        metrics.networkProgrammingDuration.observe({ ip_family }, seconds)
      }
    },
    signal,
  )
  const followers = [
    noLocalFollower(metrics),
    serviceHealthFollower(serviceHealth),
    ...udpFollowers(parts, node),
  ]
  const follow = (mechanism: Mechanism) => followers.reduce(followPlan, mechanism)
  let isSettled = false
  const synchronized: ReconcilerObserver['synchronized'] = (done) => {
    observer.synchronized(done)
    programming.finish()
    if (isSettled) return
    isSettled = true
    setImmediate(parts.settled)
  }
  return { follow, observer: { ...observer, synchronized } }
}

function noLocalFollower(metrics: ProxyMetrics): PlanFollower {
  return countNoLocalEndpoints((family, counts) => {
    const ip_family = family === 4 ? 'IPv4' : 'IPv6'
    metrics.noLocalEndpoints.set({ ip_family, traffic_policy: 'internal' }, counts.internal)
    metrics.noLocalEndpoints.set({ ip_family, traffic_policy: 'external' }, counts.external)
  })
}

function serviceHealthFollower(servers: ServiceHealthServers): PlanFollower {
  return {
    replaced: (services) =>
      servers.replace([...services.values()].map((plan) => [plan.service, plan.health])),
    changed(changes) {
      for (const { service, before, after } of changes) {
        if (before?.health !== after?.health) servers.set(service, after?.health)
      }
    },
  }
}

function udpFollowers(
  { conntrack, logger, metrics }: ProxyParts,
  node: NodeWatch,
): readonly PlanFollower[] {
  if (conntrack === undefined) return []
  const connection: ConntrackFollowerParts['connection'] = {
    forEachFlow: (filter, visit) => conntrack.forEachFlow(filter, visit),
    deleteFlows(flows) {
      for (const { family } of flows) {
        metrics.conntrackDeleted.inc({ ip_family: family === 4 ? 'IPv4' : 'IPv6' })
      }
      return conntrack.deleteFlows(flows)
    },
  }
  const follower = conntrackFollower({
    connection,
    node: () => node.settings.plan,
    deleted: (flows) => logger.info({ flows }, 'ended UDP flows to endpoints that are gone'),
    failed: (error) => logger.warn({ error: error.message }, 'UDP flows could not be looked at'),
  })
  return [follower]
}
