import { concatenatedType, dataTypes } from '../../netlink/nftables/data-types.ts'
import type { SetDefinition, TableFamily } from '../../netlink/nftables/objects.ts'
import { type TypeofField, typeofUserData } from '../../netlink/nftables/typeof-user-data.ts'
import { setsByName } from '../../ruleset/batch-sink.ts'
import type { SourceClass } from '../plan/plan.ts'

/** All source classes, in the order of their chains. */
export const sourceClasses: readonly SourceClass[] = ['pod', 'node', 'outside']

/** One field of a key, in nft's own words. */
type Field = 'daddr' | 'saddr' | 'l4proto' | 'dport'

interface SetRow {
  readonly name: string
  readonly key: readonly Field[]
  /** The set is a map to chains. */
  readonly isVerdictMap?: boolean
  readonly isInterval?: boolean
  readonly comment: string
}

const frontend: readonly Field[] = ['daddr', 'l4proto', 'dport']
const nodePort: readonly Field[] = ['l4proto', 'dport']

const setTable: readonly SetRow[] = [
  ...sourceClasses.flatMap((source): SetRow[] => [
    {
      name: `frontends-${source}`,
      key: frontend,
      isVerdictMap: true,
      comment: 'service address to chain',
    },
    {
      name: `nodeports-${source}`,
      key: nodePort,
      isVerdictMap: true,
      comment: 'node port to chain',
    },
  ]),
  { name: 'restricted', key: frontend, comment: 'only for source-ranges' },
  {
    name: 'source-ranges',
    key: [...frontend, 'saddr'],
    isInterval: true,
    comment: 'who may connect to restricted frontends',
  },
  { name: 'cluster-addresses', key: ['daddr'], comment: 'addresses of services in the cluster' },
  { name: 'nodeport-addresses', key: ['daddr'], comment: 'node ports answer here' },
  { name: 'relays', key: frontend, comment: 'where the relays of this node listen' },
]

/** The sets and maps of the table of a family. */
export function tableSets(family: TableFamily): readonly SetDefinition[] {
  return definitions[family]
}

/** The same by name. */
export function tableSetsByName(family: TableFamily): ReadonlyMap<string, SetDefinition> {
  return byName[family]
}

const definitions = {
  ip: setTable.map((row) => definition('ip', row)),
  ip6: setTable.map((row) => definition('ip6', row)),
}

const byName = { ip: setsByName(definitions.ip), ip6: setsByName(definitions.ip6) }

function definition(family: TableFamily, row: SetRow): SetDefinition {
  const fields = row.key.map((field) => fieldOf(family, field))
  return {
    name: row.name,
    keyType: concatenatedType(fields.map(({ type }) => type)),
    keyBytes: fields.reduce((sum, { bytes }) => sum + Math.ceil(bytes / 4) * 4, 0),
    fieldBytes: fields.map(({ bytes }) => bytes),
    isInterval: row.isInterval ?? false,
    isDynamic: false,
    userData: typeofUserData(
      fields.map(({ word }) => word),
      row.isVerdictMap ? 'verdict' : undefined,
      row.comment,
    ),
    ...(row.isVerdictMap ? { data: 'verdict' } : {}),
  }
}

interface FieldForm {
  readonly type: number
  readonly bytes: number
  readonly word: TypeofField
}

function fieldOf(family: TableFamily, field: Field): FieldForm {
  if (field === 'l4proto') return { type: dataTypes.protocol, bytes: 1, word: 'meta l4proto' }
  if (field === 'dport') return { type: dataTypes.port, bytes: 2, word: 'th dport' }
  return family === 'ip'
    ? { type: dataTypes.ipv4Address, bytes: 4, word: `ip ${field}` }
    : { type: dataTypes.ipv6Address, bytes: 16, word: `ip6 ${field}` }
}
