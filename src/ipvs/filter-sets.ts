import { concatenatedType, dataTypes } from '../netlink/nftables/data-types.ts'
import type { SetDefinition, TableFamily } from '../netlink/nftables/objects.ts'
import { type TypeofField, typeofUserData } from '../netlink/nftables/typeof-user-data.ts'
import { setsByName } from '../ruleset/batch-sink.ts'
import { sourceClasses } from './compile-service.ts'

/** One field of a key, in nft's own words. */
type Field = 'daddr' | 'saddr' | 'l4proto' | 'dport'

interface SetRow {
  readonly name: string
  readonly key: readonly Field[]
  /** The set is a map to packet marks. */
  readonly isMarkMap?: boolean
  readonly isInterval?: boolean
  readonly comment: string
}

const frontend: readonly Field[] = ['daddr', 'l4proto', 'dport']

const setTable: readonly SetRow[] = [
  { name: 'frontends', key: frontend, comment: 'everything that is served' },
  {
    name: 'service-addresses',
    key: ['daddr'],
    comment: 'addresses that the node has for services',
  },
  { name: 'restricted', key: frontend, comment: 'only for source-ranges' },
  {
    name: 'source-ranges',
    key: [...frontend, 'saddr'],
    isInterval: true,
    comment: 'who may connect to restricted frontends',
  },
  {
    name: 'hairpin',
    key: ['saddr', 'daddr', 'l4proto', 'dport'],
    comment: 'endpoints of this node that reach themselves',
  },
  ...sourceClasses.flatMap((source): SetRow[] => [
    { name: `masquerade-${source}`, key: frontend, comment: 'flows that are masqueraded' },
    { name: `refuse-${source}`, key: frontend, comment: 'no usable endpoint on any node' },
    { name: `discard-${source}`, key: frontend, comment: 'policy Local, no endpoint here' },
    {
      name: `short-cuts-${source}`,
      key: frontend,
      isMarkMap: true,
      comment: 'mark of the virtual server that takes these flows',
    },
  ]),
]

/** The sets and maps of the table of a family. */
export function filterSets(family: TableFamily): readonly SetDefinition[] {
  return definitions[family]
}

/** The same by name. */
export function filterSetsByName(family: TableFamily): ReadonlyMap<string, SetDefinition> {
  return byName[family]
}

const definitions = {
  ip: setTable.map((row) => definition('ip', row)),
  ip6: setTable.map((row) => definition('ip6', row)),
}

const byName = { ip: setsByName(definitions.ip), ip6: setsByName(definitions.ip6) }

function definition(family: TableFamily, row: SetRow): SetDefinition {
  const fieldBytes = row.key.map((field) => bytesOf(family, field))
  const names = row.key.map((field) => nameOf(family, field))
  const data: readonly TypeofField[] | undefined = row.isMarkMap ? ['meta mark'] : undefined
  return {
    name: row.name,
    keyType: concatenatedType(row.key.map((field) => typeOf(family, field))),
    keyBytes: fieldBytes.reduce((sum, bytes) => sum + Math.ceil(bytes / 4) * 4, 0),
    fieldBytes,
    isInterval: row.isInterval ?? false,
    isDynamic: false,
    userData: typeofUserData(names, data, row.comment),
    ...(row.isMarkMap ? { data: { type: dataTypes.mark, bytes: 4 } } : {}),
  }
}

function bytesOf(family: TableFamily, field: Field): number {
  if (field === 'l4proto') return 1
  if (field === 'dport') return 2
  return family === 'ip' ? 4 : 16
}

function typeOf(family: TableFamily, field: Field): number {
  if (field === 'l4proto') return dataTypes.protocol
  if (field === 'dport') return dataTypes.port
  return family === 'ip' ? dataTypes.ipv4Address : dataTypes.ipv6Address
}

function nameOf(family: TableFamily, field: Field): TypeofField {
  if (field === 'l4proto') return 'meta l4proto'
  if (field === 'dport') return 'th dport'
  return `${family} ${field}`
}
