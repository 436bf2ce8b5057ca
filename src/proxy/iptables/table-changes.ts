import type { ProgramChanges } from './family-program.ts'
import type { FilledChain, Rule, TableName } from './rule.ts'

/** All that has to be written. */
export interface TableChanges {
  /** Chains of a table that are made or emptied, then filled; each stands before those that lead to it. They
   *  may be compiled while they are gone through, so that a whole program is never held. */
  filled(table: TableName): Iterable<FilledChain>
  /** Chains that shall be no more. */
  readonly removed: readonly Pick<FilledChain, 'table' | 'name'>[]
  readonly hooks: readonly HookEdit[]
}

/** Rules of ours to be put in place in a built-in chain; all else in it stays. */
export interface HookEdit {
  readonly table: TableName
  readonly chain: string
  /** As iptables-save printed them. */
  readonly remove: readonly string[]
  /** To stand at the head of the chain, in this order. */
  readonly insert: readonly Rule[]
}

/** Changes of a program, by table, with edits of built-in chains. */
export function toTableChanges(
  { filled, removed }: ProgramChanges,
  hooks: readonly HookEdit[] = [],
): TableChanges {
  return { filled: (table) => filled.filter((chain) => chain.table === table), removed, hooks }
}
