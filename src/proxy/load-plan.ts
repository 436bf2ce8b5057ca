import type { ClusterSource } from '../kube/store.ts'
import { resolveNodeSettings } from './config/node-settings.ts'
import type { ProxyOptions } from './config/proxy-options.ts'
import { Planner } from './plan/planner.ts'
import type { Plan } from './port/mechanism.ts'
import { watchCluster } from './watch-cluster.ts'

/** The plan of the cluster's present state, for commands that look once. `localAddresses` are this
 *  node's. Rejects when the source fails, or with the signal's reason when that comes first. */
export async function loadPlan(
  source: ClusterSource,
  options: ProxyOptions,
  localAddresses: readonly string[],
  signal: AbortSignal,
): Promise<Plan> {
  const watching = new AbortController()
  const stores = watchCluster(source, options.nodeName, AbortSignal.any([signal, watching.signal]))
  try {
    const { services, slices, nodes, serviceCidrs, ended } = stores
    const all = [services, slices, nodes, serviceCidrs]
    const synced = Promise.all(all.map((store) => store.synced))
    await Promise.race([synced, ended])
    signal.throwIfAborted()
    const settings = resolveNodeSettings(
      options,
      nodes.get(options.nodeName),
      localAddresses,
      [...serviceCidrs.values()].flatMap(({ cidrs }) => cidrs),
    )
    const planner = new Planner({ identity: settings.identity, node: settings.plan })
    for (const service of services.values()) {
      planner.setService(`${service.namespace}/${service.name}`, service)
    }
    for (const slice of slices.values()) {
      planner.setSlice(`${slice.namespace}/${slice.name}`, slice)
    }
    planner.takeChanges()
    return { node: settings.plan, services: planner.services }
  } finally {
    watching.abort()
    await stores.ended.catch(() => {})
  }
}
