/** Owners by address. Nearly every address has one owner, and clusters have hundreds of thousands of
 *  addresses: so the lone owner is kept without a list. */
export class AddressIndex<T extends object> {
  readonly #owners = new Map<string, T | readonly T[]>()

  get size(): number {
    return this.#owners.size
  }

  /** The owners of an address, oldest first. */
  get(address: string): readonly T[] {
    const owners = this.#owners.get(address)
    if (owners === undefined) return []
    return isList(owners) ? owners : [owners]
  }

  add(address: string, owner: T): void {
    const owners = this.#owners.get(address)
    if (owners === undefined) this.#owners.set(address, owner)
    else this.#owners.set(address, isList(owners) ? [...owners, owner] : [owners, owner])
  }

  /** Removes one entry of the owner. */
  remove(address: string, owner: T): void {
    const owners = this.get(address)
    const at = owners.indexOf(owner)
    if (at < 0) return
    const rest = owners.toSpliced(at, 1)
    const [first] = rest
    if (first === undefined) this.#owners.delete(address)
    else this.#owners.set(address, rest.length === 1 ? first : rest)
  }
}

function isList<T extends object>(owners: T | readonly T[]): owners is readonly T[] {
  return Array.isArray(owners)
}
