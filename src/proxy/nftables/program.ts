import type { ByteString } from '../../net/byte-string.ts'
import type { NftablesConnection } from '../../netlink/nftables/connection.ts'
import type { SetElement } from '../../netlink/nftables/objects.ts'
import { readStructure } from '../../ruleset/read-structure.ts'
import type { TableStructure } from '../../ruleset/table-structure.ts'
import type { NodePlan, ServicePlan } from '../plan/plan.ts'
import type { ElementHit, ElementLookup, ProgramView, TableView } from '../simulate/program-view.ts'
import { affinityTimeouts, compileStructure, constantElements, tableName } from './compile.ts'
import { ipv4Layout, ipv6Layout, layoutOf } from './family-layout.ts'
import { TableCompiler } from './table-compiler.ts'

/** The program that a plan is compiled to, for the simulator. */
export function compiledProgram(node: NodePlan, services: Iterable<ServicePlan>): ProgramView {
  const plans = [...services]
  const timeouts = affinityTimeouts(plans)
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
  const intervals = new Set(structure.sets.filter((set) => set.isInterval).map((set) => set.name))
  const lookups = new Map<string, ElementLookup>()
  for (const [set, list] of elements) {
    lookups.set(set, intervals.has(set) ? new IntervalLookup([...list.values()]) : list)
  }
  return {
    table: structure.table,
    chains: structure.chains.map((filled) => filled.chain),
    rules: structure.chains.flatMap((filled) => filled.rules),
    sets: structure.sets,
    elements: lookups,
  }
}

/** Intervals of concatenations: every byte string between first and last key whose fields all are in
 *  range. Ours differ in the last field only, so comparing whole keys is exact. */
class IntervalLookup implements ElementLookup {
  readonly #elements: readonly SetElement[]

  constructor(elements: readonly SetElement[]) {
    this.#elements = elements
  }

  get(key: ByteString): ElementHit | undefined {
    return this.#elements.find(
      (element) => element.key <= key && key <= (element.keyEnd ?? element.key),
    )
  }
}
