import type { SetElement } from '../netlink/nftables/objects.ts'

/** Where the differences between two states of a table's elements go: a batch for the kernel, a list for
 *  a test or for people. A changed element is removed and added again. */
export interface ElementSink {
  add(set: string, element: SetElement): void
  remove(set: string, element: SetElement): void
}

/** Elements of one set by the bytes of their key; of intervals, by those of the first key. */
export type ElementMap = ReadonlyMap<string, SetElement>

/** Elements by set. */
export type SetElements = ReadonlyMap<string, ElementMap>

/** Whether two elements with the same key are the same for the kernel and for the reader of a listing.
 *  What packets write (timeouts) is not compared. */
export function isSameElement(left: SetElement, right: SetElement): boolean {
  return (
    left.value === right.value &&
    left.keyEnd === right.keyEnd &&
    left.comment === right.comment &&
    left.verdict?.code === right.verdict?.code &&
    left.verdict?.chain === right.verdict?.chain
  )
}

/** Writes to the sink what makes `before` of one set equal to `after`. */
export function diffElements(
  set: string,
  before: ElementMap | undefined,
  after: ElementMap | undefined,
  sink: ElementSink,
): void {
  for (const [key, element] of before ?? []) {
    const wanted = after?.get(key)
    if (wanted === undefined || !isSameElement(element, wanted)) sink.remove(set, element)
  }
  for (const [key, element] of after ?? []) {
    const present = before?.get(key)
    if (present === undefined || !isSameElement(present, element)) sink.add(set, element)
  }
}
