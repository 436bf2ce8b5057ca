import { watchNftables } from '../netlink/nftables/watch-nftables.ts'
import { type RouteChange, watchRoute } from '../netlink/watch-route.ts'
import { interfaceName } from './service-addresses.ts'

/** What a change is compared with to tell whether it is ours. */
export interface OwnState {
  readonly tableName: string
  /** Number of the connection through which we write rules. */
  readonly portId: number
  /** Index of the interface that has the service addresses. */
  serviceInterface(): number | undefined
  isServiceAddress(address: string): boolean
  /** Whether the node had this address when node ports were compiled. */
  isOwnAddress(address: string): boolean
}

/** Calls back when somebody else changed our tables or the addresses of services, or when the node's own
 *  addresses changed, on which node ports answer. IPVS itself tells nobody of changes: those are seen by the
 *  next full comparison only. */
export function watchForeignChanges(
  own: OwnState,
  onDrift: (what: string) => void,
  signal: AbortSignal,
): void {
  const lost = 'notifications of the kernel were lost'
  watchNftables(
    (change) => {
      if (change.type === 'overrun') onDrift(lost)
      else if (change.table === own.tableName) {
        onDrift(`${change.type} in table ${change.family} ${change.table}`)
      }
    },
    signal,
    own.portId,
  )
  watchRoute((change) => {
    const what = change.type === 'overrun' ? lost : describeRouteChange(own, change)
    if (what !== undefined) onDrift(what)
  }, signal)
}

function describeRouteChange(
  own: OwnState,
  change: Exclude<RouteChange, { readonly type: 'overrun' }>,
): string | undefined {
  const { isDeleted } = change
  const verb = isDeleted ? 'deleted' : 'added'
  if (change.type === 'link') {
    if (!isDeleted || change.link.name !== interfaceName) return undefined
    return `interface ${interfaceName} ${verb}`
  }
  const { address, interfaceIndex, scope } = change.address
  if (scope === 'link' || scope === 'host') return undefined
  if (interfaceIndex === own.serviceInterface()) {
    if (own.isServiceAddress(address) !== isDeleted) return undefined
    return `address ${address} of ${interfaceName} ${verb}`
  }
  return own.isOwnAddress(address) === isDeleted ? `address ${address} ${verb}` : undefined
}
