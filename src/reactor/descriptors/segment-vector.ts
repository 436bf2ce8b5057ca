import type { BufferPool } from './buffer-pool.ts'
import type { SegmentQueue } from './segment-queue.ts'
import { type Pointer, systemCalls, writePointer } from './system-calls.ts'

/** Segments that one send takes. */
const segmentsAtOnce = 64

/** struct msghdr is 56 bytes, struct iovec 16: [base:8][length:8]. Words of 4 bytes. */
const headerWords = 14
const iovWords = 4
const iovField = 4
const iovCountField = 6

/** The head of an outbox as sendmsg(2) wants it. */
export class SegmentVector {
  /** Bytes of all segments that were loaded. */
  byteCount = 0
  /** Where the first segment lies. */
  firstAddress: Pointer = 0
  readonly messageAddress: Pointer
  readonly #pool: BufferPool
  readonly #queue: SegmentQueue
  readonly #memory = Buffer.alloc(4 * (headerWords + segmentsAtOnce * iovWords))
  readonly #words: Int32Array

  constructor(pool: BufferPool, queue: SegmentQueue) {
    this.#pool = pool
    this.#queue = queue
    this.#words = new Int32Array(this.#memory.buffer, this.#memory.byteOffset)
    this.messageAddress = systemCalls().pointerTo(this.#memory)
    writePointer(this.#words, iovField, this.messageAddress + 4 * headerWords)
  }

  /** Loads the first segments of a queue; their number. */
  load(slot: number): number {
    const queue = this.#queue
    const words = this.#words
    let count = 0
    let byteCount = 0
    let segment = queue.first(slot)
    for (; segment >= 0 && count < segmentsAtOnce; segment = queue.after(segment)) {
      const address = this.#pool.address + queue.offsetOf(segment)
      const length = queue.lengthOf(segment)
      if (count === 0) this.firstAddress = address
      const at = headerWords + count * iovWords
      writePointer(this.#words, at, address)
      words[at + 2] = length
      byteCount += length
      count++
    }
    words[iovCountField] = count
    this.byteCount = byteCount
    return count
  }
}
