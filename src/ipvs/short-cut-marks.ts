/** Top byte of the marks below: other programs on a node use single low bits. */
const prefixNumber = 0x28
/** Numbers below the prefix byte. */
const largestNumber = 0xff_ffff

/** Gives each frontend that treats pods and the node differently a mark of its own. Packets that carry it are
 *  taken by a virtual server for that mark, all others by the one for the address. The bit that asks for
 *  masquerade is not part of the number, so that both can be in one mark. */
export class ShortCutMarks {
  readonly #masqueradeMark: number
  readonly #numbers = new Map<string, number>()
  readonly #taken = new Set<number>()
  #next = 1

  constructor(masqueradeMark: number) {
    this.#masqueradeMark = masqueradeMark
  }

  /** Takes over a mark that the kernel has for a frontend. Ignored when it cannot be one of ours. */
  adopt(frontend: string, mark: number): void {
    const number = this.#numberOf(mark)
    if (number === undefined || this.#taken.has(number) || this.#numbers.has(frontend)) return
    this.#numbers.set(frontend, number)
    this.#taken.add(number)
  }

  /** The mark of a frontend; the same until it is released. */
  markOf(frontend: string, isMasqueraded: boolean): number {
    let number = this.#numbers.get(frontend)
    if (number === undefined) {
      number = this.#free()
      this.#numbers.set(frontend, number)
      this.#taken.add(number)
    }
    const mark = insertZeroBit(prefixNumber * 2 ** 24 + number, this.#masqueradeMark)
    return isMasqueraded ? mark + this.#masqueradeMark : mark
  }

  /** The frontend is gone: its mark may be given to another one. */
  release(frontend: string): void {
    const number = this.#numbers.get(frontend)
    if (number === undefined) return
    this.#numbers.delete(frontend)
    this.#taken.delete(number)
  }

  #numberOf(mark: number): number | undefined {
    const value = removeBit(mark, this.#masqueradeMark)
    const number = value % 2 ** 24
    return Math.floor(value / 2 ** 24) === prefixNumber && number > 0 ? number : undefined
  }

  #free(): number {
    for (let tries = 0; tries < largestNumber; tries++) {
      const number = this.#next
      this.#next = number === largestNumber ? 1 : number + 1
      if (!this.#taken.has(number)) return number
    }
    throw new Error(`ipvs: more than ${largestNumber} frontends need a mark`)
  }
}

/** Moves the bits from `bit` on up by one place and leaves a zero there. */
function insertZeroBit(value: number, bit: number): number {
  const low = value % bit
  return (value - low) * 2 + low
}

function removeBit(value: number, bit: number): number {
  const low = value % bit
  return Math.floor(value / (bit * 2)) * bit + low
}
