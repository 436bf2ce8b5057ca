/** Pieces of buffers in order, one queue for each connection: linked lists in flat arrays. */
export class SegmentQueue {
  readonly #heads: Int32Array
  readonly #tails: Int32Array
  #next = new Int32Array(256)
  #buffers = new Int32Array(256)
  #offsets = new Int32Array(256)
  #lengths = new Int32Array(256)
  #free = -1
  #used = 0

  constructor(slots: number) {
    this.#heads = new Int32Array(slots).fill(-1)
    this.#tails = new Int32Array(slots).fill(-1)
  }

  isEmpty(slot: number): boolean {
    return this.#heads[slot] === -1
  }

  /** The first segment of a queue, or -1. */
  first(slot: number): number {
    return this.#heads[slot] ?? -1
  }

  /** The segment after another, or -1. */
  after(segment: number): number {
    return this.#next[segment] ?? -1
  }

  bufferOf(segment: number): number {
    return this.#buffers[segment] ?? 0
  }

  /** Where it starts, counted in the pool's memory. */
  offsetOf(segment: number): number {
    return this.#offsets[segment] ?? 0
  }

  lengthOf(segment: number): number {
    return this.#lengths[segment] ?? 0
  }

  push(slot: number, buffer: number, offset: number, length: number): void {
    const segment = this.#take()
    this.#next[segment] = -1
    this.#buffers[segment] = buffer
    this.#offsets[segment] = offset
    this.#lengths[segment] = length
    const tail = this.#tails[slot] ?? -1
    if (tail < 0) this.#heads[slot] = segment
    else this.#next[tail] = segment
    this.#tails[slot] = segment
  }

  /** Lets the last segment end `length` bytes later. */
  extend(slot: number, length: number): void {
    const tail = this.#tails[slot] ?? -1
    this.#lengths[tail] = (this.#lengths[tail] ?? 0) + length
  }

  /** Takes `length` bytes off the first segment; what is left of it stays. */
  advance(slot: number, length: number): void {
    const head = this.#heads[slot] ?? -1
    this.#offsets[head] = (this.#offsets[head] ?? 0) + length
    this.#lengths[head] = (this.#lengths[head] ?? 0) - length
  }

  /** Removes the first segment and gives its buffer. */
  shift(slot: number): number {
    const head = this.#heads[slot] ?? -1
    const next = this.#next[head] ?? -1
    this.#heads[slot] = next
    if (next < 0) this.#tails[slot] = -1
    this.#next[head] = this.#free
    this.#free = head
    return this.#buffers[head] ?? 0
  }

  #take(): number {
    const free = this.#free
    if (free >= 0) {
      this.#free = this.#next[free] ?? -1
      return free
    }
    if (this.#used === this.#next.length) this.#grow()
    return this.#used++
  }

  #grow(): void {
    const grown = (before: Int32Array): Int32Array<ArrayBuffer> => {
      const after = new Int32Array(before.length * 2)
      after.set(before)
      return after
    }
    this.#next = grown(this.#next)
    this.#buffers = grown(this.#buffers)
    this.#offsets = grown(this.#offsets)
    this.#lengths = grown(this.#lengths)
  }
}
