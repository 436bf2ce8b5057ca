import type { NftablesBatch } from '../netlink/nftables/batch.ts'
import type { NftablesConnection } from '../netlink/nftables/connection.ts'
import { formatData } from '../netlink/nftables/data-types.ts'
import type { SetElement, TableFamily } from '../netlink/nftables/objects.ts'
import { BatchSink, setsByName } from './batch-sink.ts'
import { describeStructure, type TableChange } from './describe-structure.ts'
import { diffElements, type ElementSink, type SetElements } from './element-sink.ts'
import { readStructure } from './read-structure.ts'
import {
  compareStructure,
  type StructureDifference,
  structureOperations,
} from './structure-difference.ts'
import type { TableStructure } from './table-structure.ts'
import { removeExtraChains, writeStructure } from './write-structure.ts'

/** A table with all its elements. */
export interface WholeTable {
  readonly structure: TableStructure
  readonly elements: SetElements
}

/** How a table differs from what it should be. */
export interface TableDifference {
  readonly wanted: TableStructure
  readonly structure: StructureDifference
  /** Hands the elements that differ to a sink, removals first within a set. */
  elements(sink: ElementSink): void
}

/** Reads a table of the kernel; undefined when there is none. */
export function readWholeTable(
  connection: NftablesConnection,
  family: TableFamily,
  name: string,
): WholeTable | undefined {
  const structure = readStructure(connection, family, name)
  if (structure === undefined) return undefined
  const elements = new Map<string, ReadonlyMap<string, SetElement>>()
  for (const set of structure.sets) {
    const list = connection.listElements(family, name, set.name)
    elements.set(set.name, new Map(list.map((element) => [element.key, element])))
  }
  return { structure, elements }
}

/** Compares a table of the kernel with what it should be. */
export function compareWholeTable(
  kernel: WholeTable | undefined,
  wanted: TableStructure,
  wantedElements: SetElements,
): TableDifference {
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
export function writeTableDifference(difference: TableDifference, batch: NftablesBatch): number {
  const { structure, wanted } = difference
  writeStructure(structure, wanted, batch)
  const sink = new BatchSink(batch, wanted.table, setsByName(wanted.sets))
  difference.elements(sink)
  removeExtraChains(structure, wanted.table, batch)
  return sink.operations + structureOperations(structure, wanted)
}

/** Says for people how a table differs: chains by name, elements by set and comment. */
export function describeTableDifference(difference: TableDifference): readonly TableChange[] {
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
