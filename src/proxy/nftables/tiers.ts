/** Pools are balanced by drawing a slot number below a power of two, the pool's tier, and drawing again
 *  when that slot is empty. More than half of the slots of a tier are filled, so one draw in two hits
 *  at least. Every slot is as likely as every other, whatever the number of backends is. */

/** log2 of the largest tier. */
export const largestTierLog2 = 14

/** A pool balances over at most this many backends, 16,384; what comes after them gets no flows. */
export const largestPool = 2 ** largestTierLog2

/** All tiers: 1, 2, 4 ... 16,384 slots. */
export const tiers: readonly number[] = Array.from(
  { length: largestTierLog2 + 1 },
  (_, log2) => 2 ** log2,
)

/** Draws in a tier before the lower half, which is always full, is drawn from once.
 *  A draw misses with a probability below 1/2, so the half decides for less than 1/256 of all flows,
 *  and no backend's share is off by more than 0.4 %. */
export const drawsPerTier = 8

/** log2 of the tier of a pool: the least power of two that holds its backends. */
export function tierLog2(backendCount: number): number {
  return backendCount <= 1 ? 0 : 32 - Math.clz32(backendCount - 1)
}
