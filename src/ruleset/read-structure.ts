import type { NftablesConnection } from '../netlink/nftables/connection.ts'
import type { Rule, TableFamily } from '../netlink/nftables/objects.ts'
import type { TableStructure } from './table-structure.ts'

/** Reads a table of the kernel without the elements of its sets; undefined when there is none. */
export function readStructure(
  connection: NftablesConnection,
  family: TableFamily,
  name: string,
): TableStructure | undefined {
  const table = connection
    .listTables()
    .find((candidate) => candidate.family === family && candidate.name === name)
  if (table === undefined) return undefined
  const rules = new Map<string, Rule[]>()
  for (const rule of connection.listRules(family, name)) {
    const chain = rules.get(rule.chain)
    if (chain === undefined) rules.set(rule.chain, [rule])
    else chain.push(rule)
  }
  return {
    table,
    sets: connection.listSets(family, name),
    chains: connection
      .listChains(family, name)
      .map((chain) => ({ chain, rules: rules.get(chain.name) ?? [] })),
  }
}
