import { formatData } from '../../netlink/nftables/data-types.ts'
import type { SetDefinition, SetElement } from '../../netlink/nftables/objects.ts'
import { NetSink } from '../../ruleset/net-sink.ts'
import type { Difference } from '../port/mechanism.ts'
import type { TableDifference } from './table-sync.ts'

/** Says for people how a table of the kernel differs from the plan. */
export function describeDifference(difference: TableDifference): Difference[] {
  const { structure, wanted } = difference
  const name = `${wanted.table.family} ${wanted.table.name}`
  if (structure.kind === 'rebuild') {
    const kind = structure.exists ? 'changed' : 'missing'
    return [{ kind, object: `table ${name}: ${structure.why}` }]
  }
  const chains: Difference[] = [
    ...structure.missing.map(({ chain }) => ({
      kind: 'missing' as const,
      object: `${name} chain ${chain.name}`,
    })),
    ...structure.changed.map(({ chain }) => ({
      kind: 'changed' as const,
      object: `${name} chain ${chain.name}`,
    })),
    ...structure.extra.map((chain) => ({
      kind: 'unexpected' as const,
      object: `${name} chain ${chain.name}`,
    })),
  ]
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
  return [...chains, ...elements]
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
