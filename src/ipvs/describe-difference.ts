import type { Family } from '../net/address.ts'
import type { Difference } from '../proxy/port/mechanism.ts'
import { describeTableDifference, type TableDifference } from '../ruleset/whole-table.ts'
import { tableName } from './filter-rules.ts'
import { describeOperation, type IpvsOperation } from './ipvs-connection.ts'
import type { ServerDifference } from './server-difference.ts'

/** How the kernel differs from a plan. */
export interface KernelDifference {
  /** By `formatServerKey`. */
  readonly servers: ReadonlyMap<string, ServerDifference>
  readonly filters: readonly TableDifference[]
  /** Families that have a table and should not. */
  readonly unwantedTables: readonly Family[]
  readonly addedAddresses: readonly string[]
  readonly removedAddresses: readonly string[]
}

/** Says for people how the kernel differs from a plan. */
export function describeDifference(difference: KernelDifference): Difference[] {
  const { servers, filters, unwantedTables, addedAddresses, removedAddresses } = difference
  return [
    ...[...servers.values()].flatMap(({ opening, closing }) =>
      [...opening, ...closing].map(describeNeed),
    ),
    ...filters.flatMap(describeTableDifference),
    ...unwantedTables.map((family): Difference => {
      return { kind: 'unexpected', object: `table ${family === 4 ? 'ip' : 'ip6'} ${tableName}` }
    }),
    ...addedAddresses.map((address): Difference => {
      return { kind: 'missing', object: `service address ${address}` }
    }),
    ...removedAddresses.map((address): Difference => {
      return { kind: 'unexpected', object: `service address ${address}` }
    }),
  ]
}

/** What is wrong, from what would put it right. */
function describeNeed(operation: IpvsOperation): Difference {
  const text = describeOperation(operation)
  const object = text.slice(text.indexOf(' ') + 1)
  if (operation.kind.startsWith('add-')) return { kind: 'missing', object }
  if (operation.kind.startsWith('delete-')) return { kind: 'unexpected', object }
  return { kind: 'changed', object: `${object} is expected` }
}
