import type { NftablesBatch } from '../netlink/nftables/batch.ts'
import type { NftablesConnection } from '../netlink/nftables/connection.ts'
import { formatData } from '../netlink/nftables/data-types.ts'
import type { SetElement, TableFamily } from '../netlink/nftables/objects.ts'
import { BatchSink } from '../ruleset/batch-sink.ts'
import { describeStructure, type TableChange } from '../ruleset/describe-structure.ts'
import { diffElements, type ElementSink, type SetElements } from '../ruleset/element-sink.ts'
import { readStructure } from '../ruleset/read-structure.ts'
import {
  compareStructure,
  type StructureDifference,
  structureOperations,
} from '../ruleset/structure-difference.ts'
import type { TableStructure } from '../ruleset/table-structure.ts'
import { removeExtraChains, writeStructure } from '../ruleset/write-structure.ts'
import { tableName } from './filter-rules.ts'
import { filterSetsByName } from './filter-sets.ts'

/** Our table of a family as the kernel has it. */
export interface KernelFilter {
  readonly structure: TableStructure
  readonly elements: SetElements
}

/** How a table differs from what it should be. */
export interface FilterDifference {
  readonly wanted: TableStructure
  readonly structure: StructureDifference
  /** Hands the elements that differ to a sink, removals first within a set. */
  elements(sink: ElementSink): void
}

/** Reads our table of a family; undefined when there is none. */
export function readFilter(
  connection: NftablesConnection,
  family: TableFamily,
): KernelFilter | undefined {
  const structure = readStructure(connection, family, tableName)
  if (structure === undefined) return undefined
  const elements = new Map<string, ReadonlyMap<string, SetElement>>()
  for (const { name } of structure.sets) {
    const list = connection.listElements(family, tableName, name)
    elements.set(name, new Map(list.map((element) => [element.key, element])))
  }
  return { structure, elements }
}

/** Compares a table of the kernel with what it should be. */
export function compareFilter(
  kernel: KernelFilter | undefined,
  wanted: TableStructure,
  wantedElements: SetElements,
): FilterDifference {
  const structure = compareStructure(kernel?.structure, wanted)
  const present = structure.kind === 'rebuild' ? undefined : kernel?.elements
  return {
    wanted,
    structure,
    elements: (sink) => {
      for (const { name } of wanted.sets) {
        diffElements(name, present?.get(name), wantedElements.get(name), sink)
      }
    },
  }
}

/** Writes a difference into a batch; returns the number of operations. */
export function writeFilter(difference: FilterDifference, batch: NftablesBatch): number {
  const { structure, wanted } = difference
  writeStructure(structure, wanted, batch)
  const sink = new BatchSink(batch, wanted.table, filterSetsByName(wanted.table.family))
  difference.elements(sink)
  removeExtraChains(structure, wanted.table, batch)
  return sink.operations + structureOperations(structure, wanted)
}

/** Says for people how a table differs: chains by name, elements by set and comment. */
export function describeFilter(difference: FilterDifference): readonly TableChange[] {
  const { structure, wanted } = difference
  const name = `${wanted.table.family} ${wanted.table.name}`
  const found = [...describeStructure(structure, wanted)]
  if (structure.kind === 'rebuild') return found
  const sets = new Map(wanted.sets.map((set) => [set.name, set]))
  const describe = (set: string, element: SetElement): string => {
    const definition = sets.get(set)
    const key =
      definition === undefined
        ? ''
        : ` ${formatData(definition.keyType, definition.fieldBytes, element.key)}`
    return `${name} ${set}${key}${element.comment === undefined ? '' : ` (${element.comment})`}`
  }
  difference.elements({
    remove: (set, element) => found.push({ kind: 'unexpected', object: describe(set, element) }),
    add: (set, element) => found.push({ kind: 'missing', object: describe(set, element) }),
  })
  return found
}
