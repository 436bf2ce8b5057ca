import type { ByteString } from '../../net/byte-string.ts'

/** Gives the backends of a pool their slots 0..n-1 so that as few slots as possible change: who stays
 *  keeps its slot, a hole is filled by a new backend, or else by the last one.
 *  Neither list may hold a backend twice. */
export function assignSlots(
  before: readonly ByteString[],
  wanted: readonly ByteString[],
): readonly ByteString[] {
  if (before.length === 0) return wanted
  if (isSame(before, wanted)) return before
  const homeless = new Set(wanted)
  const slots: (ByteString | undefined)[] = []
  for (let slot = 0; slot < wanted.length; slot++) {
    const backend = before[slot]
    slots.push(backend !== undefined && homeless.delete(backend) ? backend : undefined)
  }
  const next = homeless.values()
  return slots.map((backend) => backend ?? taken(next))
}

function isSame(left: readonly ByteString[], right: readonly ByteString[]): boolean {
  return left.length === right.length && left.every((backend, slot) => backend === right[slot])
}

function taken(backends: IterableIterator<ByteString>): ByteString {
  const { value, done } = backends.next()
  if (done === true) throw new Error('pool slots: there are fewer backends than slots')
  return value
}
