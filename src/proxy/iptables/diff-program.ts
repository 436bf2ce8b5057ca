import type { ServicePlan } from '../plan/plan.ts'
import { isSameRule } from './canonical-rule.ts'
import { isOwnChain } from './chain-names.ts'
import type { FamilyProgram } from './family-program.ts'
import { formatRule } from './format-rule.ts'
import type { KernelTables } from './read-save.ts'
import { type FilledChain, type HookRule, type Rule, type TableName, tableNames } from './rule.ts'
import { type HookEdit, type TableChanges, toTableChanges } from './table-changes.ts'

/** What has to be written so that the kernel holds a program with these services and nothing else of
 *  ours. */
export function diffProgram(
  program: FamilyProgram,
  services: ReadonlyMap<string, ServicePlan>,
  kernel: KernelTables,
): TableChanges {
  const hooks = diffHooks(program, kernel)
  const present = ownChains(kernel)
  if (present.length === 0) {
    return { filled: (table) => program.chains(services.values(), table), removed: [], hooks }
  }
  const wanted: Record<TableName, Set<string>> = { filter: new Set(), nat: new Set() }
  const filled: FilledChain[] = []
  for (const table of tableNames) {
    for (const chain of program.chains(services.values(), table)) {
      wanted[table].add(chain.name)
      if (!holds(kernel[table].get(chain.name), chain.rules, program)) filled.push(chain)
    }
  }
  const removed = present.filter(({ table, name }) => !wanted[table].has(name))
  return toTableChanges({ filled, removed }, hooks)
}

/** What has to be written so that nothing of ours is left. */
export function removeProgram(kernel: KernelTables): TableChanges {
  const hooks = tableNames.flatMap((table) =>
    [...kernel[table]]
      .filter(([chain]) => !isOwnChain(chain))
      .map(([chain, lines]): HookEdit => {
        return { table, chain, remove: lines.filter(leadsToUs), insert: [] }
      })
      .filter(({ remove }) => remove.length > 0),
  )
  return toTableChanges({ filled: [], removed: ownChains(kernel) }, hooks)
}

function ownChains(kernel: KernelTables): readonly { table: TableName; name: string }[] {
  return tableNames.flatMap((table) =>
    [...kernel[table].keys()].filter(isOwnChain).map((name) => ({ table, name })),
  )
}

function holds(
  present: readonly string[] | undefined,
  wanted: readonly Rule[],
  { family }: FamilyProgram,
): boolean {
  return (
    present !== undefined &&
    present.length === wanted.length &&
    wanted.every((rule, index) => isSameRule(present[index] ?? '', formatRule(rule, family)))
  )
}

/** Where ours stand among the rules of others is left alone; only one that is missing, foreign or in the
 *  wrong order makes all of a chain's be written anew. */
function diffHooks(program: FamilyProgram, kernel: KernelTables): readonly HookEdit[] {
  const wanted = new Map<string, HookRule[]>()
  for (const hook of program.hooks) {
    const key = `${hook.table} ${hook.chain}`
    wanted.set(key, [...(wanted.get(key) ?? []), hook])
  }
  const edits: HookEdit[] = []
  for (const table of tableNames) {
    const names = program.hooks.filter((hook) => hook.table === table).map(({ chain }) => chain)
    const builtIn = [...kernel[table].keys()].filter((name) => !isOwnChain(name))
    for (const chain of new Set([...names, ...builtIn])) {
      const present = (kernel[table].get(chain) ?? []).filter(leadsToUs)
      const rules = (wanted.get(`${table} ${chain}`) ?? []).map(({ rule }) => rule)
      if (holds(present, rules, program)) continue
      edits.push({ table, chain, remove: present, insert: rules })
    }
  }
  return edits
}

/** Whether a rule of a built-in chain, as iptables-save printed it, is ours: it leads to a chain of ours. */
export function leadsToUs(line: string): boolean {
  return ownTarget(line) !== undefined
}

/** The chain of ours that a rule, as iptables-save printed it, leads to. */
export function ownTarget(line: string): string | undefined {
  const [, target = ''] = / -[jg] (\S+)$/.exec(` ${line}`) ?? []
  return isOwnChain(target) ? target : undefined
}
