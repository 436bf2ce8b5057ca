import type { Service } from '../../kube/resources.ts'
import { type Family, familyOf } from '../../net/address.ts'
import { hostPrefix, type Prefix, parsePrefix, prefixContains } from '../../net/prefix.ts'
import type { NodeIdentity } from './plan.ts'
import { mainAddress } from './plan-context.ts'

/** The addresses of a service in one family. No address is in two of the fields or twice in one. */
export interface ServiceAddresses {
  readonly clusterIP: string
  readonly loadBalancerIPs: readonly string[]
  readonly externalIPs: readonly string[]
  /** Who may use the load-balancer addresses; undefined: everybody. */
  readonly sourceRanges: readonly Prefix[] | undefined
}

/** The addresses of a service in one family, or undefined when it has no cluster address in it: then its
 *  node ports and external addresses of that family are not served either. An address that stands in several
 *  fields is a cluster address first, then a load balancer's (source ranges hold for it), then external. */
export function serviceAddresses(
  service: Service,
  family: Family,
  identity: NodeIdentity,
): ServiceAddresses | undefined {
  const clusterIP = service.clusterIPs.find((address) => familyOf(address) === family)
  if (clusterIP === undefined) return undefined
  const taken = [clusterIP]
  const loadBalancerIPs = takeNew(loadBalancerAddresses(service), family, taken)
  const externalIPs = takeNew(service.externalIPs, family, taken)
  const sourceRanges =
    loadBalancerIPs.length === 0
      ? undefined
      : admittedSources(service.loadBalancerSourceRanges, loadBalancerIPs, family, identity)
  return { clusterIP, loadBalancerIPs, externalIPs, sourceRanges }
}

const nothing: readonly string[] = []

/** ipMode Proxy: the load balancer wants to see the traffic itself, so the node must not catch it. */
function loadBalancerAddresses(service: Service): readonly string[] {
  if (service.loadBalancerIngress.length === 0) return nothing
  return service.loadBalancerIngress
    .filter((ingress) => ingress.ipMode !== 'Proxy')
    .map((ingress) => ingress.ip)
}

function takeNew(addresses: readonly string[], family: Family, taken: string[]): readonly string[] {
  if (addresses.length === 0) return nothing
  return addresses.filter((address) => {
    if (familyOf(address) !== family || taken.includes(address)) return false
    taken.push(address)
    return true
  })
}

/** Ranges of the other family do not count; when none of this family is left, or one of them is everything,
 *  nobody is refused. When the node's main address is admitted, so are the load balancer's addresses: a
 *  packet from the node to an address that is also bound to the node carries that address as its source.
 *  The result has no prefix that lies in another one, which interval sets would refuse. */
function admittedSources(
  ranges: readonly string[],
  loadBalancerIPs: readonly string[],
  family: Family,
  identity: NodeIdentity,
): readonly Prefix[] | undefined {
  const admitted: Prefix[] = []
  for (const range of ranges) {
    const prefix = parsePrefix(range)
    if (prefix?.family === family) admitted.push(prefix)
  }
  if (admitted.length === 0 || admitted.some((prefix) => prefix.length === 0)) return undefined
  const main = mainAddress(identity, family)
  if (main !== undefined && admitted.some((prefix) => prefixContains(prefix, main))) {
    admitted.push(...loadBalancerIPs.map(hostPrefix))
  }
  return withoutNested(admitted)
}

function withoutNested(prefixes: readonly Prefix[]): readonly Prefix[] {
  return prefixes.filter(
    (inner, index) =>
      !prefixes.some(
        (outer, otherIndex) =>
          otherIndex !== index &&
          (outer.length < inner.length || (outer.length === inner.length && otherIndex < index)) &&
          prefixContains(outer, inner.address),
      ),
  )
}
