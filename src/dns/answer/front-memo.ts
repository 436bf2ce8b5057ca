import { copyBytes } from '../../net/copy-bytes.ts'
import type { Lease } from '../chain/reply.ts'
import { headerBytes } from '../wire/decode-message.ts'
import { answerRotation, noRotation, ttlOffsets } from './answer-layout.ts'
import { entryWords, MemoGeneration } from './memo-generation.ts'
import type { NameStamps } from './name-stamps.ts'
import type { QuestionKey } from './question-key.ts'

/** What is known about an answer that is to be kept. */
export interface MemoEntry {
  /** Encoded for the question in lower case. */
  readonly bytes: Uint8Array
  /** What it depends on. */
  readonly dependencies: ReadonlySet<string>
  /** Undefined: good until a dependency changes. */
  readonly lease: Lease | undefined
  /** Its address records change places each time. */
  readonly isRotated: boolean
  /** The caller's number, given back with each hit. */
  readonly tally: number
}

const none: readonly number[] = []

/** Answers as bytes, found by questions as bytes, so that a query that was answered before costs no object
 *  and no plugin. What depends on the cluster's names is good until one of them changes, what comes
 *  from a cache until its lease ends. Memory is bounded: two generations of half the size, of which
 *  the older is forgotten when the younger is full; what is asked for moves to the younger. */
export class FrontMemo {
  /** Number of the last hit's entry, as its caller gave it. */
  tally = 0
  readonly #stamps: NameStamps
  readonly #random: () => number
  #young: MemoGeneration
  #old: MemoGeneration

  /** `random` gives 0 <= value < 1. */
  constructor(inputs: {
    readonly maxBytes: number
    readonly stamps: NameStamps
    readonly random: () => number
  }) {
    this.#stamps = inputs.stamps
    this.#random = inputs.random
    this.#young = new MemoGeneration(inputs.maxBytes / 2)
    this.#old = new MemoGeneration(inputs.maxBytes / 2)
  }

  /** Bytes of the answers that are kept, and of what is kept about them. */
  get byteCount(): number {
    return this.#young.byteCount + this.#old.byteCount
  }

  /** Writes the answer to the query at `start` of `packet` to `out` and gives its length; 0: not known, the
   *  chain must be asked. `out` needs room for the longest answer. */
  answer(
    key: QuestionKey,
    packet: Uint8Array,
    start: number,
    out: Uint8Array,
    outStart: number,
    nowMs: number,
  ): number {
    let generation = this.#young
    let entry = generation.find(key.hash, key.bytes, key.length)
    if (entry < 0) {
      generation = this.#old
      entry = generation.find(key.hash, key.bytes, key.length)
      if (entry < 0 || !this.#isCurrent(generation, entry)) return 0
      entry = this.#moveToYoung(key, generation, entry)
      generation = this.#young
      if (entry < 0) return 0
    } else if (!this.#isCurrent(generation, entry)) return 0
    return this.#write(generation, entry, key, packet, start, out, outStart, nowMs)
  }

  /** Keeps an answer to the question. One that is too large for the memo, or whose records cannot change
   *  places as bytes, is not kept. */
  keep(key: QuestionKey, kept: MemoEntry): void {
    const used = kept.isRotated ? answerRotation(kept.bytes) : noRotation
    if (used === undefined) return
    const offsets = kept.lease === undefined ? none : ttlOffsets(kept.bytes)
    const fixedWords = entryWords.size + 2 * kept.dependencies.size + offsets.length
    const wordCount = fixedWords + Math.ceil((key.length + kept.bytes.length) / 4)
    const entry = this.#add(key, wordCount)
    if (entry < 0) return
    const { words, bytes, leases } = this.#young
    words[entry + entryWords.hash] = key.hash
    words[entry + entryWords.keyBytes] = key.length
    words[entry + entryWords.answerBytes] = kept.bytes.length
    words[entry + entryWords.stampCount] = kept.dependencies.size
    words[entry + entryWords.ttlCount] = offsets.length
    words[entry + entryWords.rotationOffset] = used.offset
    words[entry + entryWords.rotationBlock] = used.blockBytes
    words[entry + entryWords.rotationCount] = used.count
    words[entry + entryWords.lease] = kept.lease === undefined ? -1 : leases.push(kept.lease) - 1
    words[entry + entryWords.tally] = kept.tally
    let at = entry + entryWords.size
    for (const dependency of kept.dependencies) {
      const slot = this.#stamps.slotOf(dependency)
      words[at++] = slot
      words[at++] = this.#stamps.at(slot)
    }
    for (const offset of offsets) words[at++] = offset
    copyBytes(key.bytes, 0, bytes, at * 4, key.length)
    copyBytes(kept.bytes, 0, bytes, at * 4 + key.length, kept.bytes.length)
  }

  #add(key: QuestionKey, wordCount: number): number {
    const entry = this.#young.add(key.hash, key.bytes, key.length, wordCount)
    if (entry >= 0) return entry
    const cleared = this.#old
    cleared.clear()
    this.#old = this.#young
    this.#young = cleared
    return this.#young.add(key.hash, key.bytes, key.length, wordCount)
  }

  /** No dependency has changed since. */
  #isCurrent({ words }: MemoGeneration, entry: number): boolean {
    const stampCount = words[entry + entryWords.stampCount] ?? 0
    let at = entry + entryWords.size
    for (let index = 0; index < stampCount; index++, at += 2) {
      if (this.#stamps.at(words[at] ?? 0) !== (words[at + 1] ?? 0) >>> 0) return false
    }
    return true
  }

  #moveToYoung(key: QuestionKey, from: MemoGeneration, entry: number): number {
    const { words } = from
    const end = from.keyOffset(entry) + key.length + (words[entry + entryWords.answerBytes] ?? 0)
    const moved = words.slice(entry, Math.ceil(end / 4))
    const lease = from.leases[words[entry + entryWords.lease] ?? -1]
    const target = this.#add(key, moved.length)
    if (target < 0) return -1
    this.#young.words.set(moved, target)
    if (lease !== undefined) {
      this.#young.words[target + entryWords.lease] = this.#young.leases.push(lease) - 1
    }
    return target
  }

  #write(
    generation: MemoGeneration,
    entry: number,
    key: QuestionKey,
    packet: Uint8Array,
    start: number,
    out: Uint8Array,
    outStart: number,
    nowMs: number,
  ): number {
    const { words, bytes } = generation
    const from = generation.keyOffset(entry) + key.length
    const length = words[entry + entryWords.answerBytes] ?? 0
    const leaseIndex = words[entry + entryWords.lease] ?? -1
    if (leaseIndex >= 0) {
      const seconds = generation.leases[leaseIndex]?.renew(nowMs)
      if (seconds === undefined) return 0
      copyBytes(bytes, from, out, outStart, length)
      writeTtls(generation, entry, out, outStart, seconds)
    } else copyBytes(bytes, from, out, outStart, length)
    out[outStart] = packet[start] ?? 0
    out[outStart + 1] = packet[start + 1] ?? 0
    if (!key.isLowerCase) {
      copyBytes(
        packet,
        start + headerBytes,
        out,
        outStart + headerBytes,
        key.questionEnd - headerBytes,
      )
    }
    const count = words[entry + entryWords.rotationCount] ?? 0
    if (count > 1) {
      const offset = words[entry + entryWords.rotationOffset] ?? 0
      const block = words[entry + entryWords.rotationBlock] ?? 0
      const first = Math.floor(this.#random() * count) * block
      copyBytes(bytes, from + offset + first, out, outStart + offset, count * block - first)
      copyBytes(bytes, from + offset, out, outStart + offset + count * block - first, first)
    }
    this.tally = words[entry + entryWords.tally] ?? 0
    return length
  }
}

function writeTtls(
  { words }: MemoGeneration,
  entry: number,
  out: Uint8Array,
  outStart: number,
  seconds: number,
): void {
  const stampCount = words[entry + entryWords.stampCount] ?? 0
  const ttlCount = words[entry + entryWords.ttlCount] ?? 0
  let at = entry + entryWords.size + 2 * stampCount
  for (let index = 0; index < ttlCount; index++, at++) {
    const offset = outStart + (words[at] ?? 0)
    out[offset] = seconds >>> 24
    out[offset + 1] = seconds >>> 16
    out[offset + 2] = seconds >>> 8
    out[offset + 3] = seconds
  }
}
