import type { StructureDifference } from './structure-difference.ts'
import type { TableStructure } from './table-structure.ts'

/** One difference between a table of the kernel and the wanted one, for people. */
export interface TableChange {
  readonly kind: 'missing' | 'unexpected' | 'changed'
  readonly object: string
}

/** Says how the structure of a table differs; the elements of a table that is rebuilt need no words. */
export function describeStructure(
  structure: StructureDifference,
  { table }: TableStructure,
): readonly TableChange[] {
  const name = `${table.family} ${table.name}`
  if (structure.kind === 'rebuild') {
    const kind = structure.exists ? 'changed' : 'missing'
    return [{ kind, object: `table ${name}: ${structure.why}` }]
  }
  const chain = (kind: TableChange['kind'], of: string): TableChange => ({
    kind,
    object: `${name} chain ${of}`,
  })
  return [
    ...structure.missing.map((filled) => chain('missing', filled.chain.name)),
    ...structure.changed.map((filled) => chain('changed', filled.chain.name)),
    ...structure.extra.map((extra) => chain('unexpected', extra.name)),
  ]
}
