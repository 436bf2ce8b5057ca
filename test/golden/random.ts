/** A sequence of numbers in [0, 1) that a seed decides. */
export type Random = () => number

/** The mulberry32 generator, seeded with a number and names, so that every scenario and step draws its
 *  own numbers, whatever else runs. */
export function createRandom(seed: number, ...names: readonly string[]): Random {
  let state = seed >>> 0
  for (const character of names.join('/')) {
    state = Math.imul(state ^ character.charCodeAt(0), 0x01000193) >>> 0
  }
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

/** Up to `count` different members, in the order of the list. */
export function sample<T>(list: readonly T[], count: number, random: Random): readonly T[] {
  const ranked = list.map((item, index) => ({ item, index, rank: random() }))
  ranked.sort((left, right) => left.rank - right.rank)
  return ranked
    .slice(0, count)
    .sort((left, right) => left.index - right.index)
    .map(({ item }) => item)
}

/** A shuffled copy in which members with the same key keep their order. */
export function shuffleKeepingOrder<T>(
  list: readonly T[],
  keyOf: (item: T) => string,
  random: Random,
): readonly T[] {
  const queues = new Map<string, T[]>()
  for (const item of list) {
    const queue = queues.get(keyOf(item))
    if (queue === undefined) queues.set(keyOf(item), [item])
    else queue.push(item)
  }
  const slots = list.map((item) => ({ key: keyOf(item), rank: random() }))
  slots.sort((left, right) => left.rank - right.rank)
  return slots.flatMap(({ key }) => queues.get(key)?.shift() ?? [])
}
