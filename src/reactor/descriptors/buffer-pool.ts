import { poison } from '../reactor-options.ts'
import { type Pointer, systemCalls } from './system-calls.ts'

/** Bytes of a buffer. */
export const bufferBytes = 32_768

/** Buffers lie this far apart: the starts of all must not fall into the same sets of the processor's cache. */
const strideBytes = bufferBytes + 64

/** All buffers of a reactor in one piece of memory: the first ones are received into, the others hold copies
 *  that wait to be sent. Each counts its users and is free when there are none. Free receive buffers are the
 *  engine's. */
export class BufferPool {
  readonly memory: Buffer
  readonly address: Pointer
  readonly receiveCount: number
  /** Takes a receive buffer that has become free. */
  onReceiveFree: (buffer: number) => void = () => {}
  readonly #isChecked: boolean
  readonly #users: Int32Array
  readonly #freeCopies: number[] = []
  #usedReceive = 0
  #freedReceive = 0

  constructor(receiveCount: number, copyCount: number, isChecked: boolean) {
    const count = receiveCount + copyCount
    // Pages are real only once they were written to.
    this.memory = Buffer.allocUnsafeSlow(count * strideBytes)
    this.address = systemCalls().pointerTo(this.memory)
    this.receiveCount = receiveCount
    this.#isChecked = isChecked
    this.#users = new Int32Array(count)
    for (let buffer = count - 1; buffer >= receiveCount; buffer--) this.#freeCopies.push(buffer)
  }

  /** Receive buffers that hold bytes, and copies that wait. */
  get usedCount(): number {
    return this.#usedReceive + this.#users.length - this.receiveCount - this.#freeCopies.length
  }

  /** Whether a buffer is for receiving; the others are for copies. */
  isReceive(buffer: number): boolean {
    return buffer < this.receiveCount
  }

  /** Receive buffers that hold nothing. */
  get freeReceiveCount(): number {
    return this.receiveCount - this.#usedReceive
  }

  /** How many times a receive buffer has become free. */
  get freedReceiveCount(): number {
    return this.#freedReceive
  }

  /** Bytes for which there are free copies. */
  get copyRoom(): number {
    return this.#freeCopies.length * bufferBytes
  }

  /** Where a buffer starts in `memory`. */
  startOf(buffer: number): number {
    return buffer * strideBytes
  }

  /** Where a buffer ends in `memory`. */
  endOf(buffer: number): number {
    return buffer * strideBytes + bufferBytes
  }

  /** The buffer that holds a place in `memory`, or ends there. */
  bufferAt(offset: number): number {
    return Math.floor(offset / strideBytes)
  }

  /** Where a buffer starts for the kernel. */
  addressOf(buffer: number): Pointer {
    return this.address + buffer * strideBytes
  }

  /** The engine has received into the buffer: it has one user. */
  use(buffer: number): void {
    this.#users[buffer] = 1
    this.#usedReceive++
  }

  /** A free buffer for a copy, with one user, or -1. */
  takeCopy(): number {
    const buffer = this.#freeCopies.pop() ?? -1
    if (buffer >= 0) this.#users[buffer] = 1
    return buffer
  }

  retain(buffer: number): void {
    this.#users[buffer] = (this.#users[buffer] ?? 0) + 1
  }

  release(buffer: number): void {
    const users = (this.#users[buffer] ?? 0) - 1
    this.#users[buffer] = users
    if (users > 0) return
    if (users < 0) throw new Error(`reactor: buffer ${buffer} was given back twice`)
    if (this.#isChecked) {
      this.memory.fill(poison, this.startOf(buffer), this.startOf(buffer) + bufferBytes)
    }
    if (!this.isReceive(buffer)) this.#freeCopies.push(buffer)
    else {
      this.#usedReceive--
      this.#freedReceive++
      this.onReceiveFree(buffer)
    }
  }
}
