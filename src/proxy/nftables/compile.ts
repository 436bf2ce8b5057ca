import type { SetElement } from '../../netlink/nftables/objects.ts'
import { addressKey, readHostWord } from '../../ruleset/element-keys.ts'
import type { ElementMap, SetElements } from '../../ruleset/element-sink.ts'
import type { TableStructure } from '../../ruleset/table-structure.ts'
import type { NodePlan, ServicePlan } from '../plan/plan.ts'
import type { FamilyLayout } from './family-layout.ts'
import { constantPools, firstServicePool, kindElements } from './kinds.ts'
import type { TableCompiler } from './table-compiler.ts'
import { tableRules } from './table-rules.ts'
import { tableSets } from './table-sets.ts'

/** Name of our table in both families. */
export const tableName = 'portolan'

/** Compiles everything of a table that does not depend on services. */
export function compileStructure(
  layout: FamilyLayout,
  node: NodePlan,
  affinitySeconds: readonly number[],
): TableStructure {
  return {
    table: {
      family: layout.table,
      name: tableName,
      comment: 'services of the cluster, kept by portolan: changes made by hand are undone',
    },
    sets: tableSets(layout),
    chains: tableRules(layout, node, affinitySeconds),
  }
}

/** Elements that do not depend on services. */
export function constantElements(
  layout: FamilyLayout,
  node: NodePlan,
  affinitySeconds: readonly number[],
): ReadonlyMap<string, readonly SetElement[]> {
  const addresses = node.nodePortAddresses === 'any-local' ? [] : node.nodePortAddresses
  const ours = addresses.filter((address) => address.includes(':') === (layout.family === 6))
  return new Map([
    ['kinds', kindElements('', affinitySeconds)],
    ['short-cut-kinds', kindElements('short-cut-', affinitySeconds)],
    ['pools', constantPools()],
    ['nodeport-addresses', [...new Set(ours)].map((address) => ({ key: addressKey(address) }))],
  ])
}

/** Sets whose elements are compared pool by pool. */
export const poolSets: ReadonlySet<string> = new Set([
  'pools',
  'slots',
  'sticky-slots',
  'endpoints',
])

/** Whether an element of `pools` belongs to a service. */
export function isServicePool(element: SetElement): boolean {
  return readHostWord(element.key) >= firstServicePool
}

/** All elements that the table must have besides those of pools. */
export function compileElements(
  compiler: TableCompiler,
  constant: ReadonlyMap<string, readonly SetElement[]>,
  services: Iterable<ServicePlan>,
): SetElements {
  const sets = new Map<string, Map<string, SetElement>>()
  const add = (set: string, element: SetElement): void => {
    let elements = sets.get(set)
    if (elements === undefined) {
      elements = new Map()
      sets.set(set, elements)
    }
    elements.set(element.key, element)
  }
  for (const [set, elements] of constant) for (const element of elements) add(set, element)
  compiler.forEachOtherElement(services, add)
  return sets satisfies ReadonlyMap<string, ElementMap>
}
