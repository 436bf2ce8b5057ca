import type { Verdict } from '../../src/proxy/port/verdict.ts'
import type { ClusterState } from './cluster-state.ts'
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
  readonly reason: string
  matches(difference: DifferenceCase): boolean
}

/** Where ours differs from kube-proxy's nftables mode on purpose. */
export const acceptedDifferences: readonly AcceptedDifference[] = []
