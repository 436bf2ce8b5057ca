import type { Family } from '../../net/address.ts'
import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { TableFamily } from '../../netlink/nftables/objects.ts'
import * as nft from '../../ruleset/statements.ts'
import type { NodePlan } from '../plan/plan.ts'

/** What packets of this node's pods have in common: one list of expressions for each way to be one. */
export function podMatches(
  family: Family,
  { podDetector: detector }: NodePlan,
): readonly (readonly Expression[])[] {
  const table: TableFamily = family === 4 ? 'ip' : 'ip6'
  if (detector.kind === 'none') return []
  if (detector.kind === 'prefixes') {
    return detector.prefixes
      .filter((prefix) => prefix.family === family)
      .map((prefix) => nft.inPrefix(prefix, nft.loadSource(table)))
  }
  return [nft.fromInterface(detector.name, detector.match)]
}
