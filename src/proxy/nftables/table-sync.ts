import type { NftablesBatch } from '../../netlink/nftables/batch.ts'
import type { SetElement } from '../../netlink/nftables/objects.ts'
import { BatchSink, setsByName } from '../../ruleset/batch-sink.ts'
import { diffElements, type ElementSink } from '../../ruleset/element-sink.ts'
import { GroupingSink } from '../../ruleset/grouping-sink.ts'
import { compareStructure, type StructureDifference } from '../../ruleset/structure-difference.ts'
import type { TableStructure } from '../../ruleset/table-structure.ts'
import { removeExtraChains, writeStructure } from '../../ruleset/write-structure.ts'
import type { Plan } from '../port/mechanism.ts'
import { affinityTimeouts } from './affinity-timeouts.ts'
import { compileElements, compileStructure, constantElements } from './compile.ts'
import { diffPool } from './pool-elements.ts'
import type { KernelTable } from './read.ts'
import type { TableCompiler } from './table-compiler.ts'

/** What a table must be, and what has to be written for that. */
export interface TableDifference {
  readonly wanted: TableStructure
  readonly structure: StructureDifference
  /** Hands the elements that differ to a sink, removals first within a set. */
  elements(sink: ElementSink): void
}

/** Compares a table of the kernel with the plan. The compiler must have compiled the plan's services. */
export function compareTable(
  kernel: KernelTable | undefined,
  compiler: TableCompiler,
  plan: Plan,
): TableDifference {
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
  return { wanted, structure, elements }
}

/** Writes a difference into a batch; returns the number of operations on chains and elements. */
export function writeDifference(difference: TableDifference, batch: NftablesBatch): number {
  const { structure, wanted } = difference
  writeStructure(structure, wanted, batch)
  const sink = new BatchSink(batch, wanted.table, setsByName(wanted.sets))
  difference.elements(sink)
  removeExtraChains(structure, wanted.table, batch)
  return sink.operations + structureOperations(difference)
}

function structureOperations({ structure, wanted }: TableDifference): number {
  return structure.kind === 'rebuild'
    ? 1 + wanted.sets.length + wanted.chains.length
    : structure.missing.length + structure.changed.length + structure.extra.length
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
