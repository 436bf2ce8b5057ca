import type { TimerId } from './reactor.ts'

/** Slots of the wheel; a power of two. A timer that is further away than one turn of the wheel is looked at
 *  once a turn. */
const wheelSlots = 1024

/** Timers by the tick at which they end, in a wheel of lists: start, stop and fire cost the same however many
 *  there are. Time is what the owner says it is. */
export class TimerWheel {
  readonly #tickMs: number
  /** First timer of each slot's list, or -1. */
  readonly #heads = new Int32Array(wheelSlots).fill(-1)
  #next = new Int32Array(64)
  #previous = new Int32Array(64)
  /** Tick at which the timer ends; -1: free. */
  #ends = new Float64Array(64).fill(-1)
  /** Makes the id of a place differ from use to use. */
  #uses = new Int32Array(64)
  #tags = new Float64Array(64)
  readonly #callbacks: (((tag: number) => void) | undefined)[] = []
  readonly #free: number[] = []
  #used = 0
  #count = 0
  /** Every timer up to this tick has fired. */
  #tick: number

  constructor(tickMs: number, nowMs: number) {
    this.#tickMs = tickMs
    this.#tick = Math.floor(nowMs / tickMs)
  }

  /** Timers that have not fired. */
  get count(): number {
    return this.#count
  }

  /** Fires `callback(tag)` in the first `advance` that is `delayMs` or more after `nowMs`. */
  start(nowMs: number, delayMs: number, tag: number, callback: (tag: number) => void): TimerId {
    const place = this.#free.pop() ?? this.#newPlace()
    const end = Math.max(Math.ceil((nowMs + delayMs) / this.#tickMs), this.#tick + 1)
    const slot = end & (wheelSlots - 1)
    const head = this.#heads[slot] ?? -1
    this.#next[place] = head
    this.#previous[place] = -1 - slot
    if (head >= 0) this.#previous[head] = place
    this.#heads[slot] = place
    this.#ends[place] = end
    this.#tags[place] = tag
    this.#callbacks[place] = callback
    this.#count++
    return (this.#uses[place] ?? 0) * 2 ** 24 + place
  }

  /** Forgets a timer; does nothing when it has fired. */
  stop(timer: TimerId): void {
    const place = timer % 2 ** 24
    const use = Math.floor(timer / 2 ** 24)
    if (use === this.#uses[place] && (this.#ends[place] ?? -1) >= 0) this.#remove(place)
  }

  /** Fires all timers that ended by now. */
  advance(nowMs: number): void {
    const now = Math.floor(nowMs / this.#tickMs)
    // After a long silence one turn of the wheel meets every timer.
    if (now - this.#tick > wheelSlots) this.#tick = now - wheelSlots
    while (this.#tick < now) {
      this.#tick++
      if (this.#count > 0) this.#fireSlot(this.#tick & (wheelSlots - 1), now)
    }
  }

  /** Milliseconds until something may have to be done, or -1 without timers. */
  waitMs(nowMs: number): number {
    if (this.#count === 0) return -1
    let tick = this.#tick + 1
    while ((this.#heads[tick & (wheelSlots - 1)] ?? -1) < 0) tick++
    return Math.max(0, tick * this.#tickMs - nowMs)
  }

  /** Collects first: a callback may stop its neighbours and start others in the same slot. */
  #fireSlot(slot: number, now: number): void {
    const ended: TimerId[] = []
    for (let place = this.#heads[slot] ?? -1; place >= 0; place = this.#next[place] ?? -1) {
      if ((this.#ends[place] ?? 0) <= now) ended.push((this.#uses[place] ?? 0) * 2 ** 24 + place)
    }
    for (let index = ended.length - 1; index >= 0; index--) {
      const timer = ended[index] ?? -1
      const place = timer % 2 ** 24
      if (this.#uses[place] !== Math.floor(timer / 2 ** 24)) continue
      const callback = this.#callbacks[place]
      const tag = this.#tags[place] ?? 0
      this.#remove(place)
      callback?.(tag)
    }
  }

  #remove(place: number): void {
    const next = this.#next[place] ?? -1
    const previous = this.#previous[place] ?? -1
    if (next >= 0) this.#previous[next] = previous
    if (previous >= 0) this.#next[previous] = next
    else this.#heads[-1 - previous] = next
    this.#ends[place] = -1
    this.#uses[place] = ((this.#uses[place] ?? 0) + 1) & 0xfff_ffff
    this.#callbacks[place] = undefined
    this.#free.push(place)
    this.#count--
  }

  #newPlace(): number {
    if (this.#used === this.#next.length) this.#grow()
    return this.#used++
  }

  #grow(): void {
    const size = this.#next.length * 2
    this.#next = grown(this.#next, new Int32Array(size))
    this.#previous = grown(this.#previous, new Int32Array(size))
    this.#uses = grown(this.#uses, new Int32Array(size))
    this.#ends = grown(this.#ends, new Float64Array(size).fill(-1))
    this.#tags = grown(this.#tags, new Float64Array(size))
  }
}

function grown<A extends Int32Array | Float64Array>(before: A, after: A): A {
  after.set(before)
  return after
}
