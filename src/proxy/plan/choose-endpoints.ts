import type { EndpointState } from '../../kube/resources.ts'
import type { Backend, NodeIdentity, PoolSelection } from './plan.ts'
import type { Candidate } from './service-endpoints.ts'

/** The backends that one traffic policy leads to; empty when there are none. */
export interface Choice {
  readonly backends: readonly Backend[]
  readonly selection: PoolSelection
}

/** Whether any node has an endpoint that could be used. Without one a service rejects instead of dropping. */
export function hasUsableEndpoint(candidates: readonly Candidate[]): boolean {
  return candidates.some(({ state }) => state.isReady || isFallback(state))
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
    ({ state }) => state.isReady && isHinted(state, selection, identity),
  )
  if (ready.length > 0) return { backends: ready, selection }
  return {
    backends: backendsOf(candidates, ({ state }) => isFallback(state)),
    selection: 'terminating',
  }
}

/** Endpoints for traffic policy Local: the ready ones of this node, else those of this node that still serve
 *  while they terminate. Topology has no say. */
export function chooseLocalEndpoints(candidates: readonly Candidate[]): Choice {
  const ready = backendsOf(candidates, ({ state, backend }) => backend.isLocal && state.isReady)
  if (ready.length > 0) return { backends: ready, selection: 'ready' }
  return {
    backends: backendsOf(candidates, ({ state, backend }) => backend.isLocal && isFallback(state)),
    selection: 'terminating',
  }
}

function isFallback(state: EndpointState): boolean {
  return !state.isReady && state.isServing && state.isTerminating
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
  for (const { state } of candidates) {
    if (!state.isReady) continue
    const { hintedNodes, hintedZones } = state
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

function isHinted(state: EndpointState, selection: PoolSelection, identity: NodeIdentity): boolean {
  if (selection === 'same-node') return state.hintedNodes?.includes(identity.nodeName) ?? false
  if (selection === 'same-zone') return state.hintedZones?.includes(identity.zone) ?? false
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
