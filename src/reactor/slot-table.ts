import { type ConnectionId, slotBits, slotOf } from './connection-id.ts'

const useMask = 0x7ff

/** Gives out connection ids, lowest slots first used again. */
export class SlotTable {
  readonly #limit: number
  /** Times that a slot was used, of 11 bits. */
  readonly #uses: Uint16Array
  readonly #isTaken: Uint8Array
  readonly #free: number[] = []
  #used = 0
  #count = 0

  constructor(limit: number) {
    this.#limit = limit
    this.#uses = new Uint16Array(limit)
    this.#isTaken = new Uint8Array(limit)
  }

  get count(): number {
    return this.#count
  }

  /** Slots that were ever taken are below this. */
  get bound(): number {
    return this.#used
  }

  /** An id, or -1 when all slots are taken. */
  take(): ConnectionId {
    const slot = this.#free.pop() ?? (this.#used < this.#limit ? this.#used++ : -1)
    if (slot < 0) return -1
    this.#isTaken[slot] = 1
    this.#count++
    return this.idAt(slot)
  }

  /** Whether the id was given out and not given back. */
  has(connection: ConnectionId): boolean {
    const slot = slotOf(connection)
    return this.#isTaken[slot] === 1 && this.#uses[slot] === connection >> slotBits
  }

  /** The id that the slot has now. */
  idAt(slot: number): ConnectionId {
    return ((this.#uses[slot] ?? 0) << slotBits) | slot
  }

  /** Ids of all taken slots. */
  ids(): ConnectionId[] {
    const ids: ConnectionId[] = []
    for (let slot = 0; slot < this.#used; slot++) {
      if (this.#isTaken[slot] === 1) ids.push(this.idAt(slot))
    }
    return ids
  }

  release(connection: ConnectionId): void {
    const slot = slotOf(connection)
    this.#isTaken[slot] = 0
    this.#uses[slot] = ((this.#uses[slot] ?? 0) + 1) & useMask
    this.#free.push(slot)
    this.#count--
  }
}
