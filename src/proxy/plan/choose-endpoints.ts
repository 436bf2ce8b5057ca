import type { Endpoint } from '../../kube/resources.ts'
import type { Backend, NodeIdentity, PoolSelection } from './plan.ts'
import type { Candidate } from './service-endpoints.ts'

/** The backends that one traffic policy leads to; empty when there are none. */
export interface Choice {
  readonly backends: readonly Backend[]
  readonly selection: PoolSelection
}

/** Whether any node has an endpoint that could be used. Without one a service rejects instead of dropping. */
export function hasUsableEndpoint(candidates: readonly Candidate[]): boolean {
  return candidates.some(({ endpoint }) => endpoint.isReady || isFallback(endpoint))
}

/** Endpoints for traffic policy Cluster: the ready ones that topology gives to this node; when nothing is
 *  ready anywhere, those that still serve while they terminate, regardless of topology. */
export function chooseClusterEndpoints(
  candidates: readonly Candidate[],
  identity: NodeIdentity,
): Choice {
  const selection = topologyOf(candidates, identity)
  const ready = backendsOf(
    candidates,
    ({ endpoint }) => endpoint.isReady && isHinted(endpoint, selection, identity),
  )
  if (ready.length > 0) return { backends: ready, selection }
  return {
    backends: backendsOf(candidates, ({ endpoint }) => isFallback(endpoint)),
    selection: 'terminating',
  }
}

/** Endpoints for traffic policy Local: the ready ones of this node, else those of this node that still serve
 *  while they terminate. Topology has no say. */
export function chooseLocalEndpoints(candidates: readonly Candidate[]): Choice {
  const ready = backendsOf(
    candidates,
    ({ endpoint, backend }) => backend.isLocal && endpoint.isReady,
  )
  if (ready.length > 0) return { backends: ready, selection: 'ready' }
  return {
    backends: backendsOf(
      candidates,
      ({ endpoint, backend }) => backend.isLocal && isFallback(endpoint),
    ),
    selection: 'terminating',
  }
}

function isFallback(endpoint: Endpoint): boolean {
  return !endpoint.isReady && endpoint.isServing && endpoint.isTerminating
}

/** Hints count only when every ready endpoint has them and at least one is for this node (first) or for its
 *  zone; otherwise all ready endpoints are used. `trafficDistribution` itself is not looked at: the control
 *  plane turns it into hints. */
function topologyOf(
  candidates: readonly Candidate[],
  { nodeName, zone }: NodeIdentity,
): Exclude<PoolSelection, 'terminating'> {
  let allHaveNodes = true
  let allHaveZones = true
  let oneHasNode = false
  let oneHasZone = false
  for (const { endpoint } of candidates) {
    if (!endpoint.isReady) continue
    const { hintedNodes, hintedZones } = endpoint
    if (hintedNodes === undefined || hintedNodes.length === 0) allHaveNodes = false
    else if (hintedNodes.includes(nodeName)) oneHasNode = true
    if (hintedZones === undefined || hintedZones.length === 0) allHaveZones = false
    else if (hintedZones.includes(zone)) oneHasZone = true
    if (!allHaveNodes && !allHaveZones) return 'ready'
  }
  if (allHaveNodes && oneHasNode) return 'same-node'
  if (allHaveZones && oneHasZone) return 'same-zone'
  return 'ready'
}

function isHinted(endpoint: Endpoint, selection: PoolSelection, identity: NodeIdentity): boolean {
  if (selection === 'same-node') return endpoint.hintedNodes?.includes(identity.nodeName) ?? false
  if (selection === 'same-zone') return endpoint.hintedZones?.includes(identity.zone) ?? false
  return true
}

function backendsOf(
  candidates: readonly Candidate[],
  isWanted: (candidate: Candidate) => boolean,
): readonly Backend[] {
  const wanted = candidates.every(isWanted) ? candidates : candidates.filter(isWanted)
  // Not `push`: it leaves room for more in an array that will not grow, in every pool.
  return wanted.map(({ backend }) => backend)
}
