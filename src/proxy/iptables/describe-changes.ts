import type { Family } from '../../net/address.ts'
import type { Difference } from '../port/mechanism.ts'
import { tableNames } from './rule.ts'
import type { TableChanges } from './table-changes.ts'

/** Says for people what in the kernel is not as it should be. */
export function describeChanges(
  family: Family,
  { filled, removed, hooks }: TableChanges,
): readonly Difference[] {
  const where = family === 4 ? 'iptables' : 'ip6tables'
  return [
    ...tableNames.flatMap((table) =>
      [...filled(table)].map(({ name }): Difference => {
        return { kind: 'changed', object: `${where} table ${table} chain ${name}` }
      }),
    ),
    ...removed.map(({ table, name }): Difference => {
      return { kind: 'unexpected', object: `${where} table ${table} chain ${name}` }
    }),
    ...hooks.map(({ table, chain }): Difference => {
      return { kind: 'changed', object: `${where} table ${table} chain ${chain}: jumps of ours` }
    }),
  ]
}
