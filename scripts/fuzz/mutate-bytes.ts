import type { Random } from './random.ts'

/** Bytes that sit at the borders of lengths, signs and alignments. */
const borderBytes = [0, 1, 3, 4, 5, 7, 8, 0x7f, 0x80, 0xfc, 0xff]

/** A sample with a few random changes: flipped bits, border bytes, cuts, doubled and foreign parts.
 *  Now and then it is only noise. */
export function mutateBytes(samples: readonly Uint8Array[], random: Random): Uint8Array {
  if (random.below(50) === 0) return noise(random)
  let bytes: Uint8Array = Uint8Array.from(random.pick(samples))
  for (let left = 1 + random.below(6); left > 0; left--) {
    bytes = random.pick(mutations)(bytes, samples, random)
  }
  return bytes
}

type Mutation = (bytes: Uint8Array, samples: readonly Uint8Array[], random: Random) => Uint8Array

const mutations: readonly Mutation[] = [
  function flipBit(bytes, _, random) {
    const at = random.below(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
    return bytes
  },
  function setByte(bytes, _, random) {
    bytes[random.below(bytes.length)] = random.pick(borderBytes)
    return bytes
  },
  function truncate(bytes, _, random) {
    return bytes.slice(0, random.below(bytes.length + 1))
  },
  function removePart(bytes, _, random) {
    const start = random.below(bytes.length + 1)
    const end = Math.min(bytes.length, start + random.below(32))
    return concatenate(bytes.subarray(0, start), bytes.subarray(end))
  },
  function splice(bytes, samples, random) {
    const other = random.pick(samples)
    const at = random.below(bytes.length + 1)
    return concatenate(bytes.subarray(0, at), other.subarray(random.below(other.length + 1)))
  },
  function doublePart(bytes, _, random) {
    const start = random.below(bytes.length + 1)
    const end = Math.min(bytes.length, start + random.below(64))
    return concatenate(bytes.subarray(0, end), bytes.subarray(start))
  },
]

function noise(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.below(200) }, () => random.below(256))
}

function concatenate(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.length)
  bytes.set(head)
  bytes.set(tail, head.length)
  return bytes
}
