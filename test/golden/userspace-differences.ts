import type { Verdict } from '../../src/proxy/port/verdict.ts'
import type { AcceptedDifference } from './accepted-differences.ts'

/** What relays in user space cannot do as kube-proxy's nftables mode, which the plan follows. */
export const userspaceDifferences: readonly AcceptedDifference[] = [
  {
    id: 'relayed-from-the-node',
    reason:
      'Endpoints of userspace mode see the address of the node, not that of the client, unless --userspace-source client is given: a relay has a connection of its own to them. So every balanced flow counts as masqueraded. Who is served, by which endpoints and with which affinity, is the same.',
    matches: ({ original, other }) => differsInMasqueradeOnly(original, other),
  },
  {
    id: 'sctp-is-not-relayed',
    reason:
      'Userspace mode relays TCP and UDP. SCTP frontends that have endpoints are refused, at once and with a warning for each in the log, instead of being left to time out.',
    matches: ({ sampled: { flow }, original, other }) =>
      flow.protocol === 'SCTP' && original.kind === 'balance' && other.kind === 'reject',
  },
]

/** Same endpoints, same affinity; in the second verdict all are masqueraded. */
function differsInMasqueradeOnly(original: Verdict, other: Verdict): boolean {
  if (original.kind !== 'balance' || other.kind !== 'balance') return false
  if (original.affinitySeconds !== other.affinitySeconds) return false
  if (original.backends.size !== other.backends.size) return false
  return [...original.backends.keys()].every((backend) => other.backends.get(backend) === true)
}
