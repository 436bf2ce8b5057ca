import type { ByteString } from '../../net/byte-string.ts'
import type { SetDefinition, SetElement } from '../../netlink/nftables/objects.ts'
import type { ElementHit, ElementLookup } from './program-view.ts'

/** Look-up over a list of elements, with the kernel's meaning of plain and of concatenated intervals.
 *  Of two elements with one key the later stands. */
export function elementLookup(
  definition: Pick<SetDefinition, 'isInterval' | 'fieldBytes'>,
  elements: Iterable<SetElement>,
): ElementLookup {
  if (!definition.isInterval) return exactLookup(elements)
  return definition.fieldBytes.length > 1
    ? concatenatedLookup(definition.fieldBytes, [...elements])
    : intervalLookup([...elements])
}

function exactLookup(elements: Iterable<SetElement>): ElementLookup {
  const byKey = new Map<ByteString, ElementHit>()
  for (const element of elements) byKey.set(element.key, element)
  return { get: (key) => byKey.get(key) }
}

/** A plain interval set is a sorted list of starts and exclusive ends (nft_set_rbtree). */
function intervalLookup(elements: readonly SetElement[]): ElementLookup {
  const edges = elements.toSorted(
    (one, other) =>
      compareBytes(one.key, other.key) ||
      // Where one interval ends and the next begins, the beginning counts.
      Number(other.isIntervalEnd === true) - Number(one.isIntervalEnd === true),
  )
  const get = (key: ByteString): ElementHit | undefined => {
    const edge = edges.findLast((candidate) => compareBytes(candidate.key, key) <= 0)
    return edge === undefined || edge.isIntervalEnd === true ? undefined : edge
  }
  return { get }
}

/** A concatenated interval set holds a range for each field (nft_set_pipapo). */
function concatenatedLookup(
  fieldBytes: readonly number[],
  elements: readonly SetElement[],
): ElementLookup {
  const inField = (element: SetElement, key: ByteString, start: number, end: number): boolean => {
    const value = key.slice(start, end)
    return (
      element.key.slice(start, end) <= value &&
      value <= (element.keyEnd ?? element.key).slice(start, end)
    )
  }
  const contains = (element: SetElement, key: ByteString): boolean => {
    let start = 0
    for (const bytes of fieldBytes) {
      if (!inField(element, key, start, start + bytes)) return false
      start += Math.ceil(bytes / 4) * 4
    }
    return true
  }
  return { get: (key) => elements.find((element) => contains(element, key)) }
}

function compareBytes(one: ByteString, other: ByteString): number {
  return one < other ? -1 : one > other ? 1 : 0
}
