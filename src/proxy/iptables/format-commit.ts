import type { Family } from '../../net/address.ts'
import { formatRule } from './format-rule.ts'
import type { TableCommit } from './plan-commits.ts'

/** A commit as input of `iptables-restore --noflush`: a declared chain is made, or emptied if it is there. */
export function formatCommit({ table, fill, hooks, remove }: TableCommit, family: Family): string {
  const lines = [`*${table}`]
  for (const { name } of fill) lines.push(`:${name} - [0:0]`)
  for (const name of remove) lines.push(`:${name} - [0:0]`)
  for (const { name, rules } of fill) {
    for (const rule of rules) lines.push(`-A ${name} ${formatRule(rule, family)}`)
  }
  for (const edit of hooks) {
    for (const text of edit.remove) lines.push(`-D ${edit.chain} ${text}`)
    for (const [index, rule] of edit.insert.entries()) {
      lines.push(`-I ${edit.chain} ${index + 1} ${formatRule(rule, family)}`)
    }
  }
  for (const name of remove) lines.push(`-X ${name}`)
  lines.push('COMMIT')
  return `${lines.join('\n')}\n`
}
