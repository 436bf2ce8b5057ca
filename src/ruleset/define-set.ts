import { concatenatedType, dataTypes } from '../netlink/nftables/data-types.ts'
import type { SetDefinition, TableFamily } from '../netlink/nftables/objects.ts'
import { type TypeofField, typeofUserData } from '../netlink/nftables/typeof-user-data.ts'

/** One field of a key, in nft's own words. */
export type KeyField = 'daddr' | 'saddr' | 'l4proto' | 'dport'

/** A set of frontends, addresses or flows, for both families. */
export interface SetRow {
  readonly name: string
  readonly key: readonly KeyField[]
  /** What a map leads to: a chain, or a packet mark; undefined: it is a set. */
  readonly data?: 'verdict' | 'mark'
  readonly isInterval?: boolean
  /** See SetDefinition. */
  readonly isCounting?: boolean
  readonly comment: string
}

/** The set of a row in the form that the kernel takes, with what nft needs to print its keys by name. */
export function defineSet(family: TableFamily, row: SetRow): SetDefinition {
  const fields = row.key.map((field) => formOf(family, field))
  const words = fields.map(({ word }) => word)
  const definition = {
    name: row.name,
    keyType: concatenatedType(fields.map(({ type }) => type)),
    keyBytes: fields.reduce((sum, { bytes }) => sum + Math.ceil(bytes / 4) * 4, 0),
    fieldBytes: fields.map(({ bytes }) => bytes),
    isInterval: row.isInterval ?? false,
    isDynamic: false,
    ...(row.isCounting === true ? { isCounting: true } : {}),
  }
  switch (row.data) {
    case 'verdict':
      return {
        ...definition,
        data: 'verdict',
        userData: typeofUserData(words, 'verdict', row.comment),
      }
    case 'mark':
      return {
        ...definition,
        data: { type: dataTypes.mark, bytes: 4 },
        userData: typeofUserData(words, ['meta mark'], row.comment),
      }
    default:
      return { ...definition, userData: typeofUserData(words, undefined, row.comment) }
  }
}

interface FieldForm {
  readonly type: number
  readonly bytes: number
  readonly word: TypeofField
}

function formOf(family: TableFamily, field: KeyField): FieldForm {
  if (field === 'l4proto') return { type: dataTypes.protocol, bytes: 1, word: 'meta l4proto' }
  if (field === 'dport') return { type: dataTypes.port, bytes: 2, word: 'th dport' }
  return family === 'ip'
    ? { type: dataTypes.ipv4Address, bytes: 4, word: `ip ${field}` }
    : { type: dataTypes.ipv6Address, bytes: 16, word: `ip6 ${field}` }
}
