import type { ByteString } from '../../net/byte-string.ts'
import type { NftablesConnection } from '../../netlink/nftables/connection.ts'
import type { SetElement } from '../../netlink/nftables/objects.ts'
import { readStructure } from '../../ruleset/read-structure.ts'
import type { TableStructure } from '../../ruleset/table-structure.ts'
import type { NodePlan, ServicePlan } from '../plan/plan.ts'
import { elementLookup } from '../simulate/machine-elements.ts'
import type { ElementLookup, ProgramView, TableView } from '../simulate/program-view.ts'
import { affinityTimeouts } from './affinity-timeouts.ts'
import { compileStructure, constantElements, tableName } from './compile.ts'
import { ipv4Layout, ipv6Layout, layoutOf } from './family-layout.ts'
import { TableCompiler } from './table-compiler.ts'

/** The program that a plan is compiled to, for the simulator. */
export function compiledProgram(node: NodePlan, services: Iterable<ServicePlan>): ProgramView {
  const plans = [...services]
  const timeouts = affinityTimeouts(plans, undefined)
  const tables = node.families.map((family) => {
    const layout = layoutOf(family)
    const compiler = new TableCompiler(layout)
    const nowhere = { add: () => {}, remove: () => {} }
    for (const plan of plans) compiler.update(undefined, plan, nowhere)
    const elements = new Map<string, Map<ByteString, SetElement>>()
    const add = (set: string, element: SetElement): void => {
      const found = elements.get(set) ?? new Map<ByteString, SetElement>()
      found.set(element.key, element)
      elements.set(set, found)
    }
    for (const [set, list] of constantElements(layout, node, timeouts)) {
      for (const element of list) add(set, element)
    }
    compiler.forEachElement(plans, add)
    return tableView(compileStructure(layout, node, timeouts), elements)
  })
  return { tables }
}

/** The program that is in the kernel, for the simulator. */
export function kernelProgram(connection: NftablesConnection): ProgramView {
  const tables = [ipv4Layout, ipv6Layout].flatMap(({ table: family }) => {
    const structure = readStructure(connection, family, tableName)
    if (structure === undefined) return []
    const elements = new Map<string, Map<ByteString, SetElement>>()
    for (const set of structure.sets) {
      const list = connection.listElements(family, tableName, set.name)
      elements.set(set.name, new Map(list.map((element) => [element.key, element])))
    }
    return [tableView(structure, elements)]
  })
  return { tables }
}

function tableView(
  structure: TableStructure,
  elements: ReadonlyMap<string, ReadonlyMap<ByteString, SetElement>>,
): TableView {
  const lookups = structure.sets.map((set): [string, ElementLookup] => [
    set.name,
    elementLookup(set, elements.get(set.name)?.values() ?? []),
  ])
  return {
    table: structure.table,
    chains: structure.chains.map((filled) => filled.chain),
    rules: structure.chains.flatMap((filled) => filled.rules),
    sets: structure.sets,
    elements: new Map(lookups),
  }
}
