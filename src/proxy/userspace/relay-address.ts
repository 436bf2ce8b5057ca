import { type Family, familyOf } from '../../net/address.ts'
import type { RouteConnection } from '../../netlink/route.ts'
import type { NodePlan } from '../plan/plan.ts'

/** The address of this node on which a family's relays listen: the first on which node ports answer, or else the
 *  first of the first interface. A node without one serves only itself, on loopback. Clients never see it. */
export function relayAddress(
  family: Family,
  { nodePortAddresses }: Pick<NodePlan, 'nodePortAddresses'>,
  addresses: ReturnType<RouteConnection['listAddresses']>,
): string {
  const usable = addresses
    .filter(({ address, scope }) => familyOf(address) === family && scope === 'global')
    .filter(({ address }) => !address.startsWith('127.') && address !== '::1')
    .sort((left, right) => left.interfaceIndex - right.interfaceIndex)
    .map(({ address }) => address)
  const preferred =
    nodePortAddresses === 'any-local'
      ? undefined
      : nodePortAddresses.find((address) => usable.includes(address))
  return preferred ?? usable[0] ?? (family === 4 ? '127.0.0.1' : '::1')
}
