import type { Family } from '../../net/address.ts'
import type { NodePlan } from '../plan/plan.ts'
import type { Negatable, Rule } from './rule.ts'

/** The part of a rule that tells pods of this node from other sources. */
export type PodMatch = Pick<Rule, 'source'> | Pick<Rule, 'input'>

/** Matches of which any one holds for a pod of this node; none when pods cannot be told. */
export function podMatches({ podDetector }: NodePlan, family: Family): readonly PodMatch[] {
  switch (podDetector.kind) {
    case 'none':
      return []
    case 'prefixes':
      return podDetector.prefixes
        .filter((prefix) => prefix.family === family)
        .map((value) => ({ source: { value } }))
    case 'interface': {
      const { name, match } = podDetector
      return [{ input: { value: match === 'exact' ? name : `${name}+` } }]
    }
  }
}

/** The opposite of a match. */
export function negated(match: PodMatch): PodMatch {
  const negate = <T>({ value }: Negatable<T>): Negatable<T> => ({ value, isNegated: true })
  if ('source' in match && match.source !== undefined) return { source: negate(match.source) }
  if ('input' in match && match.input !== undefined) return { input: negate(match.input) }
  return match
}
