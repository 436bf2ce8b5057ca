import { type FilledChain, type TableName, tableNames } from './rule.ts'
import type { HookEdit, TableChanges } from './table-changes.ts'

/** Changes of one table that take effect together. */
export interface TableCommit {
  readonly table: TableName
  /** Chains that are made or emptied, then filled. */
  readonly fill: readonly FilledChain[]
  readonly hooks: readonly HookEdit[]
  /** Chains that nothing leads to after all of that. */
  readonly remove: readonly string[]
}

/** Splits changes into commits of about `maximumRules` rules, so that no commit grows beyond what the tools
 *  and the kernel do well. Chains come before those that lead to them: until the last commit most are out
 *  of reach of packets, and of the kernel's check of all reachable rules. */
export function* planCommits(
  { filled, hooks, removed }: TableChanges,
  maximumRules: number,
): Generator<TableCommit> {
  for (const table of tableNames) {
    let fill: FilledChain[] = []
    let ruleCount = 0
    for (const chain of filled(table)) {
      const size = chain.rules.length + 1
      if (ruleCount > 0 && ruleCount + size > maximumRules) {
        yield { table, fill, hooks: [], remove: [] }
        fill = []
        ruleCount = 0
      }
      fill.push(chain)
      ruleCount += size
    }
    const edits = hooks.filter((edit) => edit.table === table)
    const remove = removed.filter((chain) => chain.table === table).map(({ name }) => name)
    if (fill.length + edits.length + remove.length > 0) yield { table, fill, hooks: edits, remove }
  }
}

/** Objects that a commit touches: chains and rules. */
export function countOperations({ fill, hooks, remove }: TableCommit): number {
  const rules = fill.reduce((sum, chain) => sum + 1 + chain.rules.length, 0)
  const edits = hooks.reduce((sum, edit) => sum + edit.remove.length + edit.insert.length, 0)
  return rules + edits + remove.length
}
