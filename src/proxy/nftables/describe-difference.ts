import { formatData } from '../../netlink/nftables/data-types.ts'
import type { SetDefinition, SetElement } from '../../netlink/nftables/objects.ts'
import { describeStructure } from '../../ruleset/describe-structure.ts'
import { NetSink } from '../../ruleset/net-sink.ts'
import type { TableDifference } from '../../ruleset/whole-table.ts'
import type { Difference } from '../port/mechanism.ts'

/** Says for people how a table of the kernel differs from the plan. */
export function describeDifference(difference: TableDifference): readonly Difference[] {
  const { structure, wanted } = difference
  const name = `${wanted.table.family} ${wanted.table.name}`
  const changes = describeStructure(structure, wanted)
  if (structure.kind === 'rebuild') return changes
  const sets = new Map(wanted.sets.map((set) => [set.name, set]))
  const describe = (set: string, element: SetElement): string =>
    `${name} ${set} ${describeElement(sets.get(set), element)}`
  const elements: Difference[] = []
  const sink = new NetSink()
  difference.elements(sink)
  sink.flush({
    remove: (set, element) => elements.push({ kind: 'unexpected', object: describe(set, element) }),
    add: (set, element) => elements.push({ kind: 'missing', object: describe(set, element) }),
  })
  return [...changes, ...elements]
}

function describeElement(set: SetDefinition | undefined, element: SetElement): string {
  if (set === undefined) return '?'
  const key = formatData(set.keyType, set.fieldBytes, element.key)
  const comment = element.comment === undefined ? '' : ` (${element.comment})`
  if (element.verdict !== undefined)
    return `${key} : ${element.verdict.chain ?? element.verdict.code}${comment}`
  if (element.value === undefined || set.data === undefined || set.data === 'verdict')
    return `${key}${comment}`
  const words = set.data.bytes <= 4 ? [4] : [set.data.bytes - 4, 2]
  return `${key} : ${formatData(set.data.type, words, element.value)}${comment}`
}
