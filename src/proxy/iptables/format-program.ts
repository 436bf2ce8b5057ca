import type { Family } from '../../net/address.ts'
import type { NodePlan, ServicePlan } from '../plan/plan.ts'
import { FamilyProgram } from './family-program.ts'
import { formatRule } from './format-rule.ts'
import { type TableName, tableNames } from './rule.ts'

const builtInChains: Readonly<Record<TableName, readonly string[]>> = {
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
}

/** The whole program of a family as iptables-save would print it, with nothing else in the kernel. */
export function formatProgram(
  family: Family,
  node: NodePlan,
  services: ReadonlyMap<string, ServicePlan>,
): string {
  const program = new FamilyProgram(family, node)
  program.load(services.values())
  const lines: string[] = []
  for (const table of tableNames) {
    const ours = [...program.chains(services.values(), table)]
    lines.push(`*${table}`, ...builtInChains[table].map((name) => `:${name} ACCEPT [0:0]`))
    for (const { name } of ours) lines.push(`:${name} - [0:0]`)
    for (const hook of program.hooks) {
      if (hook.table === table) lines.push(`-A ${hook.chain} ${formatRule(hook.rule, family)}`)
    }
    for (const { name, rules } of ours) {
      for (const rule of rules) lines.push(`-A ${name} ${formatRule(rule, family)}`)
    }
    lines.push('COMMIT')
  }
  return `${lines.join('\n')}\n`
}
