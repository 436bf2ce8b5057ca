import { concatenatedType, dataTypes } from '../../netlink/nftables/data-types.ts'
import type { SetDefinition } from '../../netlink/nftables/objects.ts'
import { type TypeofField, typeofUserData } from '../../netlink/nftables/typeof-user-data.ts'
import type { FamilyLayout } from './family-layout.ts'
import {
  affinityEntries,
  concatenationBytes,
  type Field,
  fieldBytes,
  type SetRow,
  setTable,
} from './set-table.ts'

/** The sets and maps of a table, in the form that the kernel takes. */
export function tableSets(layout: FamilyLayout): readonly SetDefinition[] {
  return setTable.map((row) => definition(layout, row))
}

function definition(layout: FamilyLayout, row: SetRow): SetDefinition {
  const fields = (list: readonly Field[]): TypeofField[] =>
    list.map((field) => typeofField(layout, field))
  const data = row.data
  return {
    name: row.name,
    keyType: typeNumber(layout, row.key),
    keyBytes: concatenationBytes(layout, row.key),
    fieldBytes: row.key.map((field) => fieldBytes(layout, field)),
    isInterval: row.form === 'interval',
    isDynamic: row.form === 'dynamic',
    userData: typeofUserData(
      fields(row.key),
      data === undefined || data === 'verdict' ? data : fields(data),
      row.comment,
    ),
    ...(data === undefined
      ? {}
      : data === 'verdict'
        ? { data }
        : { data: { type: typeNumber(layout, data), bytes: concatenationBytes(layout, data) } }),
    ...(row.form === 'dynamic' ? { maxElements: affinityEntries } : {}),
  }
}

function typeNumber(layout: FamilyLayout, fields: readonly Field[]): number {
  return concatenatedType(fields.map((field) => dataTypes[typeName(layout, field)]))
}

function typeName(layout: FamilyLayout, field: Field): keyof typeof dataTypes {
  switch (field) {
    case 'daddr':
    case 'saddr':
      return layout.family === 4 ? 'ipv4Address' : 'ipv6Address'
    case 'l4proto':
      return 'protocol'
    case 'dport':
      return 'port'
    case 'mark':
      return 'mark'
    case 'slot':
      return 'integer'
  }
}

function typeofField(layout: FamilyLayout, field: Field): TypeofField {
  switch (field) {
    case 'daddr':
      return layout.family === 4 ? 'ip daddr' : 'ip6 daddr'
    case 'saddr':
      return layout.family === 4 ? 'ip saddr' : 'ip6 saddr'
    case 'l4proto':
      return 'meta l4proto'
    case 'dport':
      return 'th dport'
    case 'mark':
      return 'meta mark'
    case 'slot':
      return 'numgen random mod 2'
  }
}
