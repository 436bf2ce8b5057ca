import type { Verdict } from '../../src/proxy/port/verdict.ts'
import type { ClusterState } from './cluster-state.ts'
import { addressHits, ambiguousBackends, nodePortHits } from './frontend-facts.ts'
import type { SampledFlow } from './sample-flows.ts'
import type { Scenario } from './scenario.ts'

/** Everything that a difference can be judged by. */
export interface DifferenceCase {
  readonly scenario: Scenario
  readonly state: ClusterState
  readonly sampled: SampledFlow
  /** What kube-proxy's nftables rules say. */
  readonly original: Verdict
  /** What the subject (or, between the two originals, the iptables rules) says. */
  readonly other: Verdict
}

/** A difference that is meant: the test is as narrow as it can be, the reason is for readers. */
export interface AcceptedDifference {
  /** Heading in docs/golden-differences.md. */
  readonly id: string
  /** The paragraph below the heading. */
  readonly reason: string
  matches(difference: DifferenceCase): boolean
}

/** Where ours differs from kube-proxy's nftables mode on purpose. */
export const acceptedDifferences: readonly AcceptedDifference[] = [
  {
    id: 'doubled-endpoint',
    reason:
      'Two slices of a service hold the same address and port with different nodes, conditions, zones or hints, and neither terminates. kube-proxy takes the one that comes last in the order of a hash map, so the same objects can give different rules after a restart. Ours takes the one in the slice whose name comes last.',
    matches: differsByDoubledEndpoint,
  },
]

/** Only backends that are doubled may be there or not, or be masqueraded (hairpin) or not. When the
 *  doubled one is the only ready one, the whole verdict can depend on it. */
export function differsByDoubledEndpoint({
  state,
  sampled,
  original,
  other,
}: DifferenceCase): boolean {
  const hits = [...addressHits(state, sampled), ...nodePortHits(state, sampled)]
  const doubled = new Set(hits.flatMap((hit) => [...ambiguousBackends(state, hit)]))
  if (doubled.size === 0) return false
  if (original.kind !== 'balance' || other.kind !== 'balance') {
    const balanced = original.kind === 'balance' ? original : other
    return balanced.kind === 'balance' && [...balanced.backends.keys()].every((b) => doubled.has(b))
  }
  if (original.affinitySeconds !== other.affinitySeconds) return false
  const all = new Set([...original.backends.keys(), ...other.backends.keys()])
  return [...all].every(
    (backend) =>
      doubled.has(backend) || original.backends.get(backend) === other.backends.get(backend),
  )
}
