import { type Family, familyOf } from '../../net/address.ts'
import type { Protocol } from '../../net/protocol.ts'
import type { Plan } from '../port/mechanism.ts'

/** Where a client sends packets for a frontend. */
export interface FrontendDestination {
  readonly family: Family
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
}

/** The destinations of all frontends, each once. Node ports are reached on the node's own addresses. */
export function frontendDestinations(
  { services }: Pick<Plan, 'services'>,
  localAddresses: readonly string[],
): readonly FrontendDestination[] {
  const destinations = new Map<string, FrontendDestination>()
  for (const { frontends } of services.values()) {
    for (const { family, protocol, address, port } of frontends) {
      const own = localAddresses.filter((local) => familyOf(local) === family)
      for (const reached of address === undefined ? own : [address]) {
        destinations.set(`${protocol} ${reached} ${port}`, {
          family,
          protocol,
          address: reached,
          port,
        })
      }
    }
  }
  return [...destinations.values()]
}
