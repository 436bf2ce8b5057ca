import type { NftablesBatch } from '../netlink/nftables/batch.ts'
import type { Table } from '../netlink/nftables/objects.ts'
import type { StructureDifference } from './structure-difference.ts'
import type { FilledChain, TableStructure } from './table-structure.ts'

/** Writes what gives a table the wanted structure. Chains come before the rules that jump to them, and
 *  everything before elements: a rule that is bound to a full map makes the kernel walk the map. */
export function writeStructure(
  difference: StructureDifference,
  wanted: TableStructure,
  batch: NftablesBatch,
): void {
  const { table } = wanted
  if (difference.kind === 'rebuild') {
    if (difference.exists) batch.deleteTable(table.family, table.name)
    batch.addTable(table)
    for (const set of wanted.sets) batch.addSet(table.family, table.name, set)
    writeChains(table, wanted.chains, batch)
    return
  }
  for (const { chain } of difference.changed) batch.flushChain(table.family, table.name, chain.name)
  writeChains(table, difference.missing, batch)
  for (const { rules } of difference.changed)
    for (const rule of rules) batch.addRule(table.family, table.name, rule)
}

/** Removes chains that are not wanted, after the elements that lead to them are gone. */
export function removeExtraChains(
  difference: StructureDifference,
  table: Table,
  batch: NftablesBatch,
): void {
  if (difference.kind === 'rebuild') return
  for (const chain of difference.extra) batch.flushChain(table.family, table.name, chain.name)
  for (const chain of difference.extra) batch.deleteChain(table.family, table.name, chain.name)
}

function writeChains(table: Table, chains: readonly FilledChain[], batch: NftablesBatch): void {
  for (const { chain } of chains) batch.addChain(table.family, table.name, chain)
  for (const { rules } of chains)
    for (const rule of rules) batch.addRule(table.family, table.name, rule)
}
