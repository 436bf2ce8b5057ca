import type { SetDefinition, TableFamily } from '../../netlink/nftables/objects.ts'
import { setsByName } from '../../ruleset/batch-sink.ts'
import { defineSet, type KeyField, type SetRow } from '../../ruleset/define-set.ts'
import type { SourceClass } from '../plan/plan.ts'

/** All source classes, in the order of their chains. */
export const sourceClasses: readonly SourceClass[] = ['pod', 'node', 'outside']

const frontend: readonly KeyField[] = ['daddr', 'l4proto', 'dport']
const nodePort: readonly KeyField[] = ['l4proto', 'dport']

const setTable: readonly SetRow[] = [
  ...sourceClasses.flatMap((source): SetRow[] => [
    {
      name: `frontends-${source}`,
      key: frontend,
      data: 'verdict',
      comment: 'service address to chain',
    },
    {
      name: `nodeports-${source}`,
      key: nodePort,
      data: 'verdict',
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
  {
    name: 'cluster-addresses',
    key: ['daddr'],
    data: 'verdict',
    comment: 'addresses of services in the cluster',
  },
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
  ip: setTable.map((row) => defineSet('ip', row)),
  ip6: setTable.map((row) => defineSet('ip6', row)),
}

const byName = { ip: setsByName(definitions.ip), ip6: setsByName(definitions.ip6) }
