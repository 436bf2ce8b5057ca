import type { SetDefinition, TableFamily } from '../netlink/nftables/objects.ts'
import { setsByName } from '../ruleset/batch-sink.ts'
import { defineSet, type KeyField, type SetRow } from '../ruleset/define-set.ts'
import { sourceClasses } from './compile-service.ts'

const frontend: readonly KeyField[] = ['daddr', 'l4proto', 'dport']

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
      data: 'mark',
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
  ip: setTable.map((row) => defineSet('ip', row)),
  ip6: setTable.map((row) => defineSet('ip6', row)),
}

const byName = { ip: setsByName(definitions.ip), ip6: setsByName(definitions.ip6) }
