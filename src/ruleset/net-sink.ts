import type { SetElement } from '../netlink/nftables/objects.ts'
import { type ElementSink, isSameElement } from './element-sink.ts'

/** What becomes of one element: there before, there after, or both. */
interface Fate {
  before: SetElement | undefined
  after: SetElement | undefined
}

/** Collects the differences of several changes and keeps what is left of them at the end: an element that
 *  one change removes and another adds again is not written at all. All removals come before all
 *  additions, as elements can go from one service to another. */
export class NetSink implements ElementSink {
  readonly #sets = new Map<string, Map<string, Fate>>()

  add(set: string, element: SetElement): void {
    const fates = this.#fates(set)
    const fate = fates.get(element.key)
    if (fate === undefined) fates.set(element.key, { before: undefined, after: element })
    else fate.after = element
  }

  remove(set: string, element: SetElement): void {
    const fates = this.#fates(set)
    const fate = fates.get(element.key)
    if (fate === undefined) fates.set(element.key, { before: element, after: undefined })
    else if (fate.before === undefined && fate.after !== undefined) {
      // Either the element that was just added goes again, or, when it is another one with the same key,
      // what was there from the start: one service took the key over before the other gave it up.
      if (isSameElement(fate.after, element)) fate.after = undefined
      else fate.before = element
    } else fate.after = undefined
  }

  /** Hands on what is left; returns how many operations that were. */
  flush(target: ElementSink): number {
    let operations = 0
    const changed: [string, Fate][] = []
    for (const [set, fates] of this.#sets) {
      for (const fate of fates.values()) {
        const { before, after } = fate
        if (before !== undefined && after !== undefined && isSameElement(before, after)) continue
        if (before === undefined && after === undefined) continue
        changed.push([set, fate])
      }
    }
    for (const [set, { before }] of changed) {
      if (before === undefined) continue
      target.remove(set, before)
      operations++
    }
    for (const [set, { after }] of changed) {
      if (after === undefined) continue
      target.add(set, after)
      operations++
    }
    this.#sets.clear()
    return operations
  }

  #fates(set: string): Map<string, Fate> {
    let fates = this.#sets.get(set)
    if (fates === undefined) {
      fates = new Map()
      this.#sets.set(set, fates)
    }
    return fates
  }
}
