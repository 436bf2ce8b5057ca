import type { NftablesBatch } from '../netlink/nftables/batch.ts'
import type { SetDefinition, SetElement, Table } from '../netlink/nftables/objects.ts'
import type { ElementSink } from './element-sink.ts'

/** Writes elements of a table into a batch for the kernel. */
export class BatchSink implements ElementSink {
  readonly #batch: NftablesBatch
  readonly #table: Table
  readonly #sets: ReadonlyMap<string, SetDefinition>
  #operations = 0

  constructor(batch: NftablesBatch, table: Table, sets: readonly SetDefinition[]) {
    this.#batch = batch
    this.#table = table
    this.#sets = new Map(sets.map((set) => [set.name, set]))
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
