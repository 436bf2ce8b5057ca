import type { SetElement } from '../../netlink/nftables/objects.ts'
import { hostWordString } from '../../ruleset/element-keys.ts'
import { tiers } from './tiers.ts'

/** A kind says what is done with the flows of a pool: it is the data of `pools` and the key of `kinds`.
 *  Balanced pools have the number of slots of their tier; the others are above. */
export const refuseKind = 0xffff0000
const discardKind = 0xffff0001
const stickyBit = 0x80000000

/** The pool whose flows are rejected. Every table has it; services get numbers from 16 on. */
export const refusePool = 1
/** The pool whose flows are dropped. */
export const discardPool = 2
/** Numbers from here on are given to pools of services. */
export const firstServicePool = 16

/** Seconds; core/v1 ClientIPConfig allows 1 to 86,400, so 17 bits are enough. */
const largestAffinitySeconds = 86_400

/** Kind of a pool of `log2` slots; affinity 0: none. */
export function kindOf(log2: number, affinitySeconds: number): number {
  if (affinitySeconds === 0) return 2 ** log2
  const seconds = Math.min(affinitySeconds, largestAffinitySeconds)
  return (stickyBit | (seconds << 5) | log2) >>> 0
}

/** The affinity timeout, in seconds, that a kind stands for; undefined when it stands for none. */
export function affinityOfKind(kind: number): number | undefined {
  return kind >= stickyBit && kind < refuseKind ? (kind & ~stickyBit) >>> 5 : undefined
}

/** Name of the chain that balances over a tier: `balance-8`, `sticky-8-10800s`. `prefix` is empty or
 *  `short-cut-`. */
export function tierChain(prefix: string, slotCount: number, affinitySeconds: number): string {
  return affinitySeconds === 0
    ? `${prefix}balance-${slotCount}`
    : `${prefix}sticky-${slotCount}-${affinitySeconds}s`
}

/** Name of the chain that draws once in a tier: `draw-8`, `pick-8-10800s`. */
export function drawChain(prefix: string, slotCount: number, affinitySeconds: number): string {
  return affinitySeconds === 0
    ? `${prefix}draw-${slotCount}`
    : `${prefix}pick-${slotCount}-${affinitySeconds}s`
}

/** The elements of the verdict map `kinds` (or `short-cut-kinds`, with that prefix). */
export function kindElements(prefix: string, affinitySeconds: readonly number[]): SetElement[] {
  const elements: SetElement[] = [
    { key: hostWordString(refuseKind), verdict: { code: -4, chain: 'refuse' } },
    { key: hostWordString(discardKind), verdict: { code: -4, chain: 'discard' } },
  ]
  for (const seconds of [0, ...affinitySeconds]) {
    tiers.forEach((slotCount, log2) => {
      const chain = tierChain(prefix, slotCount, seconds)
      elements.push({ key: hostWordString(kindOf(log2, seconds)), verdict: { code: -3, chain } })
    })
  }
  return elements
}

/** The elements of `pools` that do not depend on services. */
export function constantPools(): SetElement[] {
  return [
    { key: hostWordString(refusePool), value: hostWordString(refuseKind), comment: 'refuse' },
    { key: hostWordString(discardPool), value: hostWordString(discardKind), comment: 'discard' },
  ]
}
