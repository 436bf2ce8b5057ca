import type { HookEdit, TableChanges } from './diff-program.ts'
import { type FilledChain, type TableName, tableNames } from './rule.ts'

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
export function planCommits(changes: TableChanges, maximumRules: number): readonly TableCommit[] {
  return tableNames.flatMap((table) => {
    const chunks = chunk(
      changes.filled.filter((chain) => chain.table === table),
      maximumRules,
    )
    const hooks = changes.hooks.filter((edit) => edit.table === table)
    const remove = changes.removed.filter((chain) => chain.table === table).map(({ name }) => name)
    if (chunks.length === 0 && hooks.length === 0 && remove.length === 0) return []
    const last = chunks.pop() ?? []
    return [
      ...chunks.map((fill): TableCommit => ({ table, fill, hooks: [], remove: [] })),
      { table, fill: last, hooks, remove },
    ]
  })
}

/** Objects that a commit touches: chains and rules. */
export function countOperations({ fill, hooks, remove }: TableCommit): number {
  const rules = fill.reduce((sum, chain) => sum + 1 + chain.rules.length, 0)
  const edits = hooks.reduce((sum, edit) => sum + edit.remove.length + edit.insert.length, 0)
  return rules + edits + remove.length
}

function chunk(chains: readonly FilledChain[], maximumRules: number): FilledChain[][] {
  const chunks: FilledChain[][] = []
  let ruleCount = 0
  for (const chain of chains) {
    const size = chain.rules.length + 1
    if (chunks.length === 0 || ruleCount + size > maximumRules) {
      chunks.push([])
      ruleCount = 0
    }
    chunks.at(-1)?.push(chain)
    ruleCount += size
  }
  return chunks
}
