import { isOwnChain } from './chain-names.ts'
import { leadsToUs } from './diff-program.ts'
import type { KernelTables } from './read-save.ts'
import { tableNames } from './rule.ts'

/** What was read, as iptables-save would print it if rules of other programs were not there: our chains, and
 *  of built-in chains the rules that lead to them. */
export function formatOwnRules(kernel: KernelTables): string {
  const lines: string[] = []
  for (const table of tableNames) {
    lines.push(`*${table}`)
    for (const name of kernel[table].keys()) {
      lines.push(`:${name} ${isOwnChain(name) ? '-' : 'ACCEPT'} [0:0]`)
    }
    for (const [name, rules] of kernel[table]) {
      const ours = isOwnChain(name) ? rules : rules.filter(leadsToUs)
      for (const rule of ours) lines.push(`-A ${name} ${rule}`)
    }
    lines.push('COMMIT')
  }
  return `${lines.join('\n')}\n`
}
