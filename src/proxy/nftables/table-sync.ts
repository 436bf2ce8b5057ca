import type { SetElement } from '../../netlink/nftables/objects.ts'
import { diffElements, type ElementMap, type ElementSink } from '../../ruleset/element-sink.ts'
import { GroupingSink } from '../../ruleset/grouping-sink.ts'
import { compareStructure } from '../../ruleset/structure-difference.ts'
import type { TableDifference } from '../../ruleset/whole-table.ts'
import type { NodePlan } from '../plan/plan.ts'
import type { Plan } from '../port/mechanism.ts'
import { affinityTimeouts } from './affinity-timeouts.ts'
import { compileElements, compileStructure, constantElements } from './compile.ts'
import type { FamilyLayout } from './family-layout.ts'
import { diffPool } from './pool-elements.ts'
import type { KernelTable } from './read.ts'
import type { TableCompiler } from './table-compiler.ts'

/** What a table must be, and what has to be written for that. */
export interface TimedTableDifference extends TableDifference {
  /** The affinity timeouts that the wanted table has chains for. */
  readonly timeouts: readonly number[]
}

/** Compares a table of the kernel with the plan. The compiler must have compiled the plan's services. */
export function compareTable(
  kernel: KernelTable | undefined,
  compiler: TableCompiler,
  plan: Plan,
): TimedTableDifference {
  const services = [...plan.services.values()]
  const timeouts = affinityTimeouts(services, kernel)
  const wanted = compileStructure(compiler.layout, plan.node, timeouts)
  const constant = constantElements(compiler.layout, plan.node, timeouts)
  const structure = compareStructure(kernel?.structure, wanted)
  const elements = (sink: ElementSink): void => {
    if (kernel === undefined || structure.kind === 'rebuild') {
      for (const [set, list] of constant) for (const element of list) sink.add(set, element)
      const groups = new GroupingSink(sink)
      compiler.forEachElement(services, (set, element) => groups.add(set, element))
      groups.flush()
      return
    }
    diffAll(kernel, compiler, compileElements(compiler, constant, services), sink)
  }
  return { wanted, structure, timeouts, elements }
}

/** Compares a table that is as it was written with one that has chains for more affinity timeouts: what a
 *  change of a service asks for needs no look at the kernel. */
export function compareTimeouts(
  layout: FamilyLayout,
  node: NodePlan,
  before: readonly number[],
  timeouts: readonly number[],
): TimedTableDifference {
  const wanted = compileStructure(layout, node, timeouts)
  const structure = compareStructure(compileStructure(layout, node, before), wanted)
  const elements = (sink: ElementSink): void => {
    const present = constantElements(layout, node, before)
    for (const [set, list] of constantElements(layout, node, timeouts)) {
      diffElements(set, byKey(present.get(set) ?? []), byKey(list), sink)
    }
  }
  return { wanted, structure, timeouts, elements }
}

function byKey(elements: readonly SetElement[]): ElementMap {
  return new Map(elements.map((element) => [element.key, element]))
}

function diffAll(
  kernel: KernelTable,
  compiler: TableCompiler,
  wanted: ReadonlyMap<string, ReadonlyMap<string, SetElement>>,
  sink: ElementSink,
): void {
  for (const { set, element } of kernel.strays) sink.remove(set, element)
  const leftOver = new Map(kernel.pools)
  for (const pool of compiler.pools()) {
    diffPool(leftOver.get(pool.number), pool, sink)
    leftOver.delete(pool.number)
  }
  for (const pool of leftOver.values()) diffPool(pool, undefined, sink)
  for (const set of new Set([...kernel.elements.keys(), ...wanted.keys()])) {
    diffElements(set, kernel.elements.get(set), wanted.get(set), sink)
  }
}
