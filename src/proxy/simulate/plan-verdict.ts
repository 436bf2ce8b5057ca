import type { Flow } from '../../net/flow.ts'
import { prefixContains } from '../../net/prefix.ts'
import type { Protocol } from '../../net/protocol.ts'
import {
  type Action,
  type Frontend,
  frontendKey,
  type NodePlan,
  type PodDetector,
  type SourceClass,
} from '../plan/plan.ts'
import type { Plan } from '../port/mechanism.ts'
import { formatBackend, type TracedVerdict } from '../port/verdict.ts'

/** A plan made ready for many flows. It is a picture of the plan at that time. */
export interface PlanIndex {
  readonly node: NodePlan
  /** By `frontendKey`. */
  readonly frontends: ReadonlyMap<string, Frontend>
  readonly clusterAddresses: ReadonlySet<string>
  /** Backends of this node, `TCP/10.1.0.4:80`. Hairpin flows are told by address, protocol and port alone: it is
   *  enough that one service knows where the backend runs. */
  readonly localBackends: ReadonlySet<string>
}

/** Builds the index of a plan: linear in its frontends. */
export function indexPlan({ node, services }: Plan): PlanIndex {
  const frontends = new Map<string, Frontend>()
  const clusterAddresses = new Set<string>()
  const localBackends = new Set<string>()
  for (const service of services.values()) {
    for (const { protocol, backends } of service.pools) {
      for (const { address, port, isLocal } of backends) {
        if (isLocal) localBackends.add(backendKey(protocol, address, port))
      }
    }
    for (const frontend of service.frontends) {
      frontends.set(frontendKey(frontend), frontend)
      if (frontend.kind === 'cluster-ip' && frontend.address !== undefined) {
        clusterAddresses.add(frontend.address)
      }
    }
  }
  return { node, frontends, clusterAddresses, localBackends }
}

/** What the plan wants for a flow. `localAddresses` are the node's own; loopback addresses count as local
 *  without being in it. For many flows give an index instead of the plan. */
export function planVerdict(
  plan: Plan | PlanIndex,
  flow: Flow,
  localAddresses: readonly string[],
): TracedVerdict {
  const index = 'frontends' in plan ? plan : indexPlan(plan)
  const frontend = findFrontend(index, flow, localAddresses)
  if (frontend === undefined) return withoutFrontend(index, flow)
  const source = sourceClass(index.node.podDetector, flow, localAddresses)
  const path = [
    `frontend ${frontendKey(frontend)} (${frontend.kind} of ${portTitle(frontend)})`,
    `source ${flow.source} is ${source}`,
  ]
  const { sourceRanges } = frontend
  if (sourceRanges !== undefined) {
    if (!sourceRanges.some((range) => prefixContains(range, flow.source))) {
      return { verdict: { kind: 'drop' }, path: [...path, 'source is in no allowed range'] }
    }
    path.push('source is in an allowed range')
  }
  return actionVerdict(index, frontend.actions[source], flow, path)
}

/** Which class a flow's source has. What the detector takes for a pod is one, even with an address of this
 *  node (a bridge's, say). */
function sourceClass(
  detector: PodDetector,
  flow: Flow,
  localAddresses: readonly string[],
): SourceClass {
  if (isPod(detector, flow)) return 'pod'
  if (flow.origin === 'local' || localAddresses.includes(flow.source)) return 'node'
  return isLoopback(flow.source) ? 'node' : 'outside'
}

function isPod(detector: PodDetector, flow: Flow): boolean {
  switch (detector.kind) {
    case 'none':
      return false
    case 'prefixes':
      return detector.prefixes.some((prefix) => prefixContains(prefix, flow.source))
    case 'interface': {
      if (flow.origin === 'local' || flow.inputInterface === undefined) return false
      return detector.match === 'exact'
        ? flow.inputInterface === detector.name
        : flow.inputInterface.startsWith(detector.name)
    }
  }
}

/** A frontend with the flow's own destination address comes before one for all addresses of the node. */
function findFrontend(
  { node, frontends }: PlanIndex,
  { family, protocol, destination, destinationPort: port }: Flow,
  localAddresses: readonly string[],
): Frontend | undefined {
  const exact = frontends.get(frontendKey({ family, protocol, address: destination, port }))
  if (exact !== undefined) return exact
  const nodePort = frontends.get(frontendKey({ family, protocol, address: undefined, port }))
  if (nodePort === undefined || isLoopback(destination)) return undefined
  const addresses = node.nodePortAddresses === 'any-local' ? localAddresses : node.nodePortAddresses
  return addresses.includes(destination) ? nodePort : undefined
}

/** 127.0.0.0/8 and ::1: node ports do not answer there, although the kernel calls them local. */
function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

function withoutFrontend({ node, clusterAddresses }: PlanIndex, flow: Flow): TracedVerdict {
  if (clusterAddresses.has(flow.destination)) {
    const why = `cluster address ${flow.destination} has no port ${flow.destinationPort}/${flow.protocol}`
    return { verdict: { kind: 'reject' }, path: [why] }
  }
  if (node.serviceRanges.some((range) => prefixContains(range, flow.destination))) {
    const why = `${flow.destination} is in a service range, but no service has it`
    return { verdict: { kind: 'drop' }, path: [why] }
  }
  return { verdict: { kind: 'untouched' }, path: ['no frontend'] }
}

function actionVerdict(
  { localBackends }: PlanIndex,
  action: Action,
  flow: Flow,
  path: readonly string[],
): TracedVerdict {
  switch (action.kind) {
    case 'drop':
      return {
        verdict: { kind: 'drop' },
        path: [...path, 'policy Local: no endpoint on this node'],
      }
    case 'reject':
      return { verdict: { kind: 'reject' }, path: [...path, 'no usable endpoint on any node'] }
    case 'balance': {
      const { pool, masquerade } = action
      const backends = new Map<string, boolean>()
      for (const { address, port } of pool.backends) {
        const isHairpin =
          address === flow.source && localBackends.has(backendKey(pool.protocol, address, port))
        backends.set(formatBackend(address, port), masquerade === 'always' || isHairpin)
      }
      return {
        verdict: { kind: 'balance', backends, affinitySeconds: pool.affinitySeconds },
        path: [...path, `pool ${pool.key} (${pool.selection ?? 'ready'} endpoints)`],
      }
    }
  }
}

function backendKey(protocol: Protocol, address: string, port: number): string {
  return `${protocol}/${formatBackend(address, port)}`
}

function portTitle({ service, portName }: Frontend): string {
  return portName === '' ? service : `${service}:${portName}`
}
