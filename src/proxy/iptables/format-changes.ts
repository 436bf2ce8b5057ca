import type { Family } from '../../net/address.ts'
import { formatRule } from './format-rule.ts'
import { type FilledChain, type TableName, tableNames } from './rule.ts'
import type { HookEdit, TableChanges } from './table-changes.ts'

/** A part of the input of iptables-restore: whole lines. */
export interface InputPiece {
  readonly text: string
  /** Chains and rules that it touches. */
  readonly operations: number
  /** It ends a commit. */
  readonly isCommit: boolean
}

/** Changes as input of `iptables-restore --noflush`, chain by chain, so that it can be read while the rest is
 *  still compiled. A declared chain is made, or emptied if it is there; each is declared before the rules that
 *  lead to it. A commit has about `maximumRules` rules: until the last one most chains are out of reach of
 *  packets, and of the kernel's check of all reachable rules. */
export function* formatChanges(
  { filled, hooks, removed }: TableChanges,
  family: Family,
  maximumRules: number,
): Generator<InputPiece> {
  for (const table of tableNames) {
    let ruleCount = 0
    for (const chain of filled(table)) {
      const operations = chain.rules.length + 1
      if (ruleCount > 0 && ruleCount + operations > maximumRules) {
        yield commit
        ruleCount = 0
      }
      const head = ruleCount === 0 ? `*${table}\n` : ''
      yield { text: head + formatChain(chain, family), operations, isCommit: false }
      ruleCount += operations
    }
    const rest = formatRest(table, hooks, removed, family)
    if (rest.operations > 0) {
      yield ruleCount === 0 ? { ...rest, text: `*${table}\n${rest.text}` } : rest
    }
    if (ruleCount + rest.operations > 0) yield commit
  }
}

const commit: InputPiece = { text: 'COMMIT\n', operations: 0, isCommit: true }

function formatChain({ name, rules }: FilledChain, family: Family): string {
  let text = `:${name} - [0:0]\n`
  for (const rule of rules) text += `-A ${name} ${formatRule(rule, family)}\n`
  return text
}

/** Jumps of built-in chains, then chains that nothing leads to any more. */
function formatRest(
  table: TableName,
  hooks: readonly HookEdit[],
  removed: TableChanges['removed'],
  family: Family,
): InputPiece {
  const lines: string[] = []
  for (const edit of hooks) {
    if (edit.table !== table) continue
    for (const text of edit.remove) lines.push(`-D ${edit.chain} ${text}`)
    for (const [index, rule] of edit.insert.entries()) {
      lines.push(`-I ${edit.chain} ${index + 1} ${formatRule(rule, family)}`)
    }
  }
  const names = removed.filter((chain) => chain.table === table).map(({ name }) => name)
  const operations = lines.length + names.length
  // Emptied first: they may lead to each other.
  lines.push(...names.map((name) => `:${name} - [0:0]`), ...names.map((name) => `-X ${name}`))
  return { text: lines.map((line) => `${line}\n`).join(''), operations, isCommit: false }
}
