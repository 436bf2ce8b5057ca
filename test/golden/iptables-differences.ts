import type { Verdict } from '../../src/proxy/port/verdict.ts'
import type { AcceptedDifference } from './accepted-differences.ts'

/** Where our iptables program differs on purpose from kube-proxy's nftables mode, which the plan follows. */
export const iptablesDifferences: readonly AcceptedDifference[] = [
  {
    id: 'remote-hairpin-masqueraded',
    reason:
      'A pod of another node is sent back to itself. One constant rule masquerades whatever has the same source and destination after translation, wherever the endpoint runs, as each rule of kube-proxy in iptables mode does; the plan and nftables mode masquerade it only for endpoints of this node.',
    matches: ({ sampled: { flow }, original, other }) =>
      differsOnlyAt(flow.source, original, other),
  },
]

/** Only the source itself may be a backend that is masqueraded in the second verdict and not in the first. */
export function differsOnlyAt(source: string, original: Verdict, other: Verdict): boolean {
  if (original.kind !== 'balance' || other.kind !== 'balance') return false
  if (original.affinitySeconds !== other.affinitySeconds) return false
  if (original.backends.size !== other.backends.size) return false
  return [...original.backends].every(([backend, isMasqueraded]) => {
    const counterpart = other.backends.get(backend)
    if (counterpart === isMasqueraded) return true
    const isSelf = backend.startsWith(`${source}:`) || backend.startsWith(`[${source}]:`)
    return isSelf && !isMasqueraded && counterpart === true
  })
}
