import type { AcceptedDifference } from './accepted-differences.ts'
import { serviceAddresses } from './sample-destinations.ts'

/** Where ipvs mode cannot do as kube-proxy's nftables mode, which the plan follows. */
export const ipvsDifferences: readonly AcceptedDifference[] = [
  {
    id: 'external-address-other-port',
    reason:
      'An external or load balancer address is asked for a port that no service has there. IPVS takes only packets for addresses that the node has, so these are local to it in ipvs mode, and what listens on the node would answer there: such flows are refused. nftables mode lets them pass to wherever the address is routed. kube-proxy in ipvs mode refuses them as well.',
    matches: ({ state, sampled, original, other }) =>
      original.kind === 'untouched' &&
      other.kind === 'reject' &&
      [...state.services.values()].some((service) =>
        serviceAddresses(service).includes(sampled.flow.destination),
      ),
  },
]
