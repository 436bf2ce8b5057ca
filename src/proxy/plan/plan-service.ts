import type { EndpointSlice, Service, ServicePort } from '../../kube/resources.ts'
import { resourceKey } from '../../kube/resources.ts'
import type { Family } from '../../net/address.ts'
import {
  type Choice,
  chooseClusterEndpoints,
  chooseLocalEndpoints,
  hasUsableEndpoint,
} from './choose-endpoints.ts'
import { isProxied } from './is-proxied.ts'
import type {
  Action,
  Backend,
  Frontend,
  FrontendKind,
  Pool,
  ServiceHealth,
  ServicePlan,
  SourceClass,
} from './plan.ts'
import { detectsPods, type PlanContext } from './plan-context.ts'
import { type ServiceAddresses, serviceAddresses } from './service-addresses.ts'
import { type Candidate, serviceEndpoints } from './service-endpoints.ts'

/** What one service asks of this node: its frontends, in every family that both have, and their pools.
 *  `slices` are the service's own, in any order. Headless and ExternalName services, and those of other
 *  proxies, ask for nothing. `loadBalancerClass` has no say: it names who gives the address, and any
 *  address in the status is served. The rules are kube-proxy's in nftables mode. */
export function planService(
  service: Service,
  slices: readonly EndpointSlice[],
  context: PlanContext,
): ServicePlan {
  const key = resourceKey(service)
  const frontends: Frontend[] = []
  const pools: Pool[] = []
  if (!isServed(service)) return { service: key, frontends, pools, health: undefined }
  const usable = usableSlices(slices)
  const ports = distinctPorts(service.ports)
  for (const family of context.node.families) {
    const addresses = serviceAddresses(service, family, context.identity)
    if (addresses === undefined) continue
    for (const port of ports) {
      const plan = { key, service, port, family, addresses }
      planPort(plan, usable, context, frontends, pools)
    }
  }
  const health = planHealth(service, usable, frontends, context)
  return { service: key, frontends: trim(frontends), pools: trim(pools), health }
}

interface PortOfFamily {
  readonly key: string
  readonly service: Service
  readonly port: ServicePort
  readonly family: Family
  readonly addresses: ServiceAddresses
  /** Frontend.servingAddresses, for UDP ports. */
  readonly servingAddresses?: readonly string[]
}

type Actions = Readonly<Record<SourceClass, Action>>

const drop: Action = { kind: 'drop' }
const reject: Action = { kind: 'reject' }
const dropAll: Actions = { pod: drop, node: drop, outside: drop }
const rejectAll: Actions = { pod: reject, node: reject, outside: reject }

/** An array that grew by `push` keeps room for 17 elements; plans stay in memory, so they are cut to size. */
function trim<T>(list: readonly T[]): readonly T[] {
  return list.slice()
}

function isServed(service: Service): boolean {
  return service.type !== 'ExternalName' && !service.isHeadless && isProxied(service)
}

/** By name, so that the order in which slices are given has no influence. */
function usableSlices(slices: readonly EndpointSlice[]): readonly EndpointSlice[] {
  const usable = slices.every(isProxied) ? slices : slices.filter(isProxied)
  if (usable.length < 2) return usable
  return [...usable].sort((left, right) => (left.name < right.name ? -1 : 1))
}

/** The API server refuses two ports with the same number and protocol, a manifest need not: the first wins. */
function distinctPorts(ports: readonly ServicePort[]): readonly ServicePort[] {
  if (ports.length < 2) return ports
  return ports.flatMap((port, index) => {
    const earlier = ports.slice(0, index).filter((other) => other.protocol === port.protocol)
    if (earlier.some((other) => other.port === port.port || other.name === port.name)) return []
    const hasOwnNodePort = !earlier.some((other) => other.nodePort === port.nodePort)
    return [hasOwnNodePort || port.nodePort === 0 ? port : { ...port, nodePort: 0 }]
  })
}

function planPort(
  basePort: PortOfFamily,
  slices: readonly EndpointSlice[],
  context: PlanContext,
  frontends: Frontend[],
  pools: Pool[],
): void {
  const { service, addresses, family } = basePort
  const isExternal =
    basePort.port.nodePort !== 0 ||
    addresses.loadBalancerIPs.length > 0 ||
    addresses.externalIPs.length > 0
  const isInternalLocal = service.internalTrafficPolicy === 'Local'
  const isExternalLocal = service.externalTrafficPolicy === 'Local' && isExternal
  const candidates = serviceEndpoints(basePort.port, family, slices, context.identity.nodeName)
  const port = withServing(basePort, candidates)
  if (!hasUsableEndpoint(candidates)) {
    addFrontends(frontends, port, rejectAll, rejectAll)
    return
  }
  // External frontends need the cluster pool under every policy: it is what pods and the node reach.
  const needsCluster = !isInternalLocal || isExternal
  const clusterChoice = needsCluster
    ? chooseClusterEndpoints(candidates, context.identity)
    : undefined
  const cluster = clusterChoice && makePool(port, 'cluster', clusterChoice)
  const needsLocal = isInternalLocal || isExternalLocal
  const localChoice = needsLocal ? chooseLocalEndpoints(candidates) : undefined
  const local = localChoice && makePool(port, 'local', shareBackends(localChoice, clusterChoice))
  if (cluster !== undefined) pools.push(cluster)
  if (local !== undefined) pools.push(local)
  const hasDetector = detectsPods(context.node.podDetector, family)
  addFrontends(
    frontends,
    port,
    internalActions(isInternalLocal ? local : cluster, hasDetector, context.node.masqueradeAll),
    isExternalLocal ? localExternalActions(cluster, local, hasDetector) : externalActions(cluster),
  )
}

function withServing(port: PortOfFamily, candidates: readonly Candidate[]): PortOfFamily {
  if (port.port.protocol !== 'UDP') return port
  const serving = candidates.filter(({ state }) => state.isServing)
  return { ...port, servingAddresses: serving.map(({ backend }) => backend.address) }
}

/** Cluster addresses. Sources that are not pods are masqueraded, because a route for the service range can
 *  lead from anywhere to any node, and the answer must come back through this one. */
function internalActions(
  pool: Pool | undefined,
  hasDetector: boolean,
  masqueradeAll: boolean,
): Actions {
  if (pool === undefined) return dropAll
  if (masqueradeAll) return forAll(balance(pool, 'always'))
  if (!hasDetector) return forAll(balance(pool, 'hairpin'))
  const always = balance(pool, 'always')
  return { pod: balance(pool, 'hairpin'), node: always, outside: always }
}

/** External policy Cluster: the backend may be on another node, so the answer must come back here. */
function externalActions(cluster: Pool | undefined): Actions {
  return cluster === undefined ? dropAll : forAll(balance(cluster, 'always'))
}

/** External policy Local binds only what comes from outside, and keeps its source address. Pods and the node
 *  itself get what they would get if they went out to a load balancer and came back in to any node. The node
 *  is masqueraded: the address that it connects to may be its own and then is also its source. */
function localExternalActions(
  cluster: Pool | undefined,
  local: Pool | undefined,
  hasDetector: boolean,
): Actions {
  if (cluster === undefined) return dropAll
  const outside = local === undefined ? drop : balance(local, 'hairpin')
  const pod = hasDetector ? balance(cluster, 'hairpin') : outside
  return { pod, node: balance(cluster, 'always'), outside }
}

function balance(pool: Pool, masquerade: 'always' | 'hairpin'): Action {
  return { kind: 'balance', pool, masquerade }
}

function forAll(action: Action): Actions {
  return { pod: action, node: action, outside: action }
}

function makePool(
  { key, service, port, family }: PortOfFamily,
  scope: 'cluster' | 'local',
  { backends, selection }: Choice,
): Pool | undefined {
  if (!hasFirst(backends)) return undefined
  return {
    key: `${key}:${port.name}/${port.protocol}/${scope}/${family}`,
    family,
    protocol: port.protocol,
    backends,
    affinitySeconds:
      service.sessionAffinity === 'ClientIP' ? service.sessionAffinityTimeoutSeconds : 0,
    selection,
  }
}

function hasFirst(backends: readonly Backend[]): backends is readonly [Backend, ...Backend[]] {
  return backends.length > 0
}

/** One array in memory for both pools when all endpoints are on this node. */
function shareBackends(local: Choice, cluster: Choice | undefined): Choice {
  const isSame =
    cluster?.backends.length === local.backends.length &&
    cluster.backends.every((backend, index) => backend === local.backends[index])
  return isSame ? { ...local, backends: cluster.backends } : local
}

function addFrontends(
  frontends: Frontend[],
  port: PortOfFamily,
  internal: Actions,
  external: Actions,
): void {
  const { clusterIP, loadBalancerIPs, externalIPs, sourceRanges } = port.addresses
  const number = port.port.port
  frontends.push(makeFrontend(port, 'cluster-ip', clusterIP, number, internal, undefined))
  for (const address of loadBalancerIPs) {
    frontends.push(makeFrontend(port, 'load-balancer', address, number, external, sourceRanges))
  }
  for (const address of externalIPs) {
    frontends.push(makeFrontend(port, 'external-ip', address, number, external, undefined))
  }
  const { nodePort } = port.port
  if (nodePort === 0) return
  frontends.push(makeFrontend(port, 'node-port', undefined, nodePort, external, undefined))
}

function makeFrontend(
  { key, port, family, servingAddresses }: PortOfFamily,
  kind: FrontendKind,
  address: string | undefined,
  number: number,
  actions: Actions,
  sourceRanges: Frontend['sourceRanges'],
): Frontend {
  return {
    service: key,
    portName: port.name,
    kind,
    family,
    address,
    protocol: port.protocol,
    port: number,
    sourceRanges,
    actions,
    ...(servingAddresses === undefined ? {} : { servingAddresses }),
  }
}

/** Only load balancers with external policy Local have a health-check node port. What counts is distinct
 *  addresses of ready endpoints of this node, over all ports: terminating ones may still be used, but the
 *  balancer in front shall look elsewhere. kube-proxy answers each family's count on that family's
 *  addresses; here the larger one holds for both. */
function planHealth(
  service: Service,
  slices: readonly EndpointSlice[],
  frontends: readonly Frontend[],
  { node, identity }: PlanContext,
): ServiceHealth | undefined {
  if (service.type !== 'LoadBalancer' || service.externalTrafficPolicy !== 'Local') return undefined
  if (service.healthCheckNodePort === 0 || frontends.length === 0) return undefined
  const counts = node.families.map((family) => {
    const addresses = new Set<string>()
    for (const port of service.ports) {
      const candidates = serviceEndpoints(port, family, slices, identity.nodeName)
      for (const { state, backend } of candidates) {
        if (backend.isLocal && state.isReady) addresses.add(backend.address)
      }
    }
    return addresses.size
  })
  return { port: service.healthCheckNodePort, localEndpoints: Math.max(0, ...counts) }
}
