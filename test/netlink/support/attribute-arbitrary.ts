import fc from 'fast-check'
import type { AttributeRow, Attributes, Decoded } from '../../../src/netlink/attribute-kinds.ts'

/** Values of a table: any of its members present or absent. */
export function valuesOf<A extends Attributes>(table: A): fc.Arbitrary<Decoded<A>> {
  const members: Record<string, fc.Arbitrary<unknown>> = {}
  for (const [name, row] of Object.entries(table)) members[name] = arbitraryOf(row)
  // Each member is made by the row from which its type is derived.
  return fc.record(members, { requiredKeys: [], noNullPrototype: true }) as unknown as fc.Arbitrary<
    Decoded<A>
  >
}

function arbitraryOf(row: AttributeRow): fc.Arbitrary<unknown> {
  switch (row.kind) {
    case 'nest':
      return valuesOf(row.nest)
    case 'list':
      return fc.array(valuesOf(row.nest), { maxLength: 4 })
    case 'bytes':
      return fc.uint8Array({ maxLength: 70 })
    case 'string':
      return fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !text.includes('\0'))
    case 'flag':
      return fc.constant(true)
    case 'u8':
      return fc.nat(0xff)
    case 'u16be':
    case 'u16host':
      return fc.nat(0xffff)
    case 'u32be':
    case 'u32host':
      return fc.nat(0xffff_ffff)
    case 's32be':
      return fc.integer()
    case 'u64be':
    case 'u64host':
      return fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
  }
}
