import type { NftablesBatch } from '../netlink/nftables/batch.ts'
import type { SetDefinition, SetElement, Table } from '../netlink/nftables/objects.ts'
import type { ElementSink } from './element-sink.ts'

/** Writes elements of a table into a batch for the kernel. */
export class BatchSink implements ElementSink {
  readonly #batch: NftablesBatch
  readonly #table: Table
  readonly #sets: ReadonlyMap<string, SetDefinition>
  #operations = 0

  /** `sets`: the table's sets by name. */
  constructor(batch: NftablesBatch, table: Table, sets: ReadonlyMap<string, SetDefinition>) {
    this.#batch = batch
    this.#table = table
    this.#sets = sets
  }

  /** Elements added and removed so far. */
  get operations(): number {
    return this.#operations
  }

  add(set: string, element: SetElement): void {
    const { family, name } = this.#table
    const definition = this.#definition(set)
    this.#operations++
    if (element.keyEnd === undefined && element.verdict === undefined) {
      this.#batch.addElement(family, name, definition, element.key, element.value, element.comment)
    } else this.#batch.addSetElement(family, name, definition, element)
  }

  remove(set: string, element: SetElement): void {
    const { family, name } = this.#table
    const definition = this.#definition(set)
    this.#operations++
    if (element.keyEnd === undefined)
      this.#batch.deleteElement(family, name, definition, element.key)
    else {
      const { key, keyEnd } = element
      this.#batch.deleteSetElement(family, name, definition, { key, keyEnd })
    }
  }

  #definition(set: string): SetDefinition {
    const definition = this.#sets.get(set)
    if (definition === undefined) throw new Error(`table ${this.#table.name} has no set ${set}`)
    return definition
  }
}

/** What a BatchSink needs of a table's sets. */
export function setsByName(sets: readonly SetDefinition[]): ReadonlyMap<string, SetDefinition> {
  return new Map(sets.map((set) => [set.name, set]))
}
