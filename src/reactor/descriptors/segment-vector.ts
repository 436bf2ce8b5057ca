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

const placeWords = headerWords + segmentsAtOnce * iovWords

/** Heads of outboxes as sendmsg(2) wants them: one in each place. */
export class SegmentVector {
  /** Bytes of all segments that were loaded. */
  byteCount = 0
  /** Where the first segment lies. */
  firstAddress: Pointer = 0
  readonly #address: Pointer
  readonly #pool: BufferPool
  readonly #queue: SegmentQueue
  readonly #memory: Buffer
  readonly #words: Int32Array

  constructor(pool: BufferPool, queue: SegmentQueue, places: number) {
    this.#pool = pool
    this.#queue = queue
    this.#memory = Buffer.alloc(4 * placeWords * places)
    this.#words = new Int32Array(this.#memory.buffer, this.#memory.byteOffset)
    this.#address = systemCalls().pointerTo(this.#memory)
  }

  /** Where the message of a place lies. */
  messageAddress(place: number): Pointer {
    return this.#address + 4 * place * placeWords
  }

  /** Loads the first segments of a queue into a place; their number. */
  load(slot: number, place: number): number {
    const queue = this.#queue
    const words = this.#words
    const header = place * placeWords
    writePointer(words, header + iovField, this.messageAddress(place) + 4 * headerWords)
    let count = 0
    let byteCount = 0
    let segment = queue.first(slot)
    for (; segment >= 0 && count < segmentsAtOnce; segment = queue.after(segment)) {
      const address = this.#pool.address + queue.offsetOf(segment)
      const length = queue.lengthOf(segment)
      if (count === 0) this.firstAddress = address
      const at = header + headerWords + count * iovWords
      writePointer(words, at, address)
      words[at + 2] = length
      byteCount += length
      count++
    }
    words[header + iovCountField] = count
    this.byteCount = byteCount
    return count
  }
}
