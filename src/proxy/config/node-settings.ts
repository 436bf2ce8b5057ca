import { type Family, familyOf, isUnspecified, parseAddress } from '../../net/address.ts'
import { never } from '../../net/never.ts'
import { type Prefix, parsePrefix, prefixContains } from '../../net/prefix.ts'
import type { NodeIdentity, NodePlan, PodDetector } from '../plan/plan.ts'
import type { ProxyOptions } from './proxy-options.ts'

/** What the planner and the mechanism need to know about this node. */
export interface NodeSettings {
  readonly plan: NodePlan
  readonly identity: NodeIdentity
}

/** What counts of the Node object (kube's Node has it). */
export interface NodeFacts {
  readonly labels: Readonly<Record<string, string>>
  /** Canonical. */
  readonly addresses: readonly string[]
  readonly podCIDRs: readonly string[]
}

const families: readonly Family[] = [4, 6]

/** What the original takes for the node's addresses when it knows none. */
const loopbackAddresses = ['127.0.0.1', '::1']

/** Resolves what depends on the Node object and on the addresses of the node's interfaces.
 *  `localAddresses` are canonical, `serviceCidrs` those of all ServiceCIDR objects. To be called again when either changes. */
export function resolveNodeSettings(
  options: ProxyOptions,
  node: NodeFacts | undefined,
  localAddresses: readonly string[],
  serviceCidrs: readonly string[],
): NodeSettings {
  const nodeAddresses = primaryAddresses(options.bindAddress, node)
  return {
    plan: {
      families,
      podDetector: resolvePodDetector(options, node),
      masqueradeAll: options.masqueradeAll,
      masqueradeMark: options.masqueradeMark,
      nodePortAddresses: resolveNodePortAddresses(options, nodeAddresses, localAddresses),
      serviceRanges: [...new Set(serviceCidrs)].sort().flatMap((text) => parsePrefix(text) ?? []),
    },
    identity: {
      nodeName: options.nodeName,
      zone: node?.labels['topology.kubernetes.io/zone'] ?? '',
      addresses: nodeAddresses.length > 0 ? nodeAddresses : loopbackAddresses,
    },
  }
}

/** The node's address of each family that has one: bindAddress, then the Node object's first ones
 *  (detectNodeIPs of the original). Loopback addresses do not count. */
function primaryAddresses(bindAddress: string, node: NodeFacts | undefined): readonly string[] {
  const override = parseAddress(bindAddress)?.text
  const candidates = [override ?? [], node?.addresses ?? []].flat()
  const usable = candidates.filter((address) => !isUnspecified(address) && !isLoopback(address))
  return families.flatMap((family) =>
    usable.filter((address) => familyOf(address) === family).slice(0, 1),
  )
}

function resolvePodDetector(options: ProxyOptions, node: NodeFacts | undefined): PodDetector {
  const { detectLocal } = options
  switch (detectLocal.mode) {
    case 'ClusterCIDR':
      return detectByPrefixes(detectLocal.clusterCIDRs)
    case 'NodeCIDR':
      return detectByPrefixes(node?.podCIDRs ?? [])
    case 'BridgeInterface':
      return { kind: 'interface', name: detectLocal.name, match: 'exact' }
    case 'InterfaceNamePrefix':
      return { kind: 'interface', name: detectLocal.prefix, match: 'prefix' }
    default:
      return never(detectLocal)
  }
}

/** The first prefix of each family, as the original; none: no traffic counts as a local pod's. */
function detectByPrefixes(texts: readonly string[]): PodDetector {
  const prefixes = texts.flatMap((text) => parsePrefix(text) ?? [])
  const first = families.flatMap((family) =>
    prefixes.filter((prefix) => prefix.family === family).slice(0, 1),
  )
  return first.length === 0 ? { kind: 'none' } : { kind: 'prefixes', prefixes: first }
}

/** pkg/proxy/util NodePortAddresses, but never loopback; a family that nothing names is open
 *  on all its local addresses. */
function resolveNodePortAddresses(
  options: ProxyOptions,
  nodeAddresses: readonly string[],
  localAddresses: readonly string[],
): 'any-local' | readonly string[] {
  const asked = options.nodePortAddresses
  if (asked === 'any-local') return 'any-local'
  const isPrimary = asked === 'primary'
  const prefixes = isPrimary ? [] : asked.flatMap((text) => parsePrefix(text) ?? [])
  const isOpen = (family: Family) =>
    isPrimary
      ? !nodeAddresses.some((address) => familyOf(address) === family)
      : isOpenFamily(prefixes.filter((prefix) => prefix.family === family))
  if (families.every(isOpen)) return 'any-local'
  return families.flatMap((family) => {
    const local = localAddresses.filter(
      (address) => familyOf(address) === family && !isLoopback(address),
    )
    if (isOpen(family)) return local
    if (isPrimary) return nodeAddresses.filter((address) => familyOf(address) === family)
    return local.filter((address) => prefixes.some((prefix) => prefixContains(prefix, address)))
  })
}

function isOpenFamily(prefixes: readonly Prefix[]): boolean {
  return prefixes.length === 0 || prefixes.some((prefix) => prefix.length === 0)
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
