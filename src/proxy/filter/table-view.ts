import type { WholeTable } from '../../ruleset/whole-table.ts'
import { elementLookup } from '../simulate/machine-elements.ts'
import type { TableView } from '../simulate/program-view.ts'

/** A table with its elements, as the simulator follows packets through it. */
export function tableView({ structure, elements }: WholeTable): TableView {
  return {
    table: structure.table,
    chains: structure.chains.map(({ chain }) => chain),
    rules: structure.chains.flatMap(({ rules }) => rules),
    sets: structure.sets,
    elements: new Map(
      structure.sets.map((set) => [
        set.name,
        elementLookup(set, elements.get(set.name)?.values() ?? []),
      ]),
    ),
  }
}
