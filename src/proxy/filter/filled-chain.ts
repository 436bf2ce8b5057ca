import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { Hook } from '../../netlink/nftables/objects.ts'
import type { FilledChain } from '../../ruleset/table-structure.ts'

/** The expressions of a rule, and a comment for who lists it. */
export type RuleParts = readonly [readonly Expression[], string?]

/** A chain of these rules, in order. */
export function filledChain(
  name: string,
  hook: Hook | undefined,
  ...rules: readonly RuleParts[]
): FilledChain {
  return {
    chain: hook === undefined ? { name } : { name, hook },
    rules: rules.map(([expressions, comment]) =>
      comment === undefined ? { chain: name, expressions } : { chain: name, expressions, comment },
    ),
  }
}
