/** What became of one key. */
export interface CountedChange<V> {
  readonly key: string
  readonly before: V | undefined
  readonly after: V | undefined
}

/** Values that several owners may give under the same key: a value is there as long as one of them wants it.
 *  Of different values the one given last counts. */
export class CountedMap<V> {
  readonly #values = new Map<string, V[]>()
  readonly #touched = new Map<string, V | undefined>()
  readonly #isSame: (left: V, right: V) => boolean

  constructor(isSame: (left: V, right: V) => boolean) {
    this.#isSame = isSame
  }

  add(key: string, value: V): void {
    this.#touch(key)
    const values = this.#values.get(key)
    if (values === undefined) this.#values.set(key, [value])
    else values.push(value)
  }

  /** Takes back what `add` gave. */
  remove(key: string, value: V): void {
    this.#touch(key)
    const values = this.#values.get(key)
    const at = values?.findIndex((each) => this.#isSame(each, value)) ?? -1
    if (values === undefined || at < 0) return
    values.splice(at, 1)
    if (values.length === 0) this.#values.delete(key)
  }

  get(key: string): V | undefined {
    return this.#values.get(key)?.at(-1)
  }

  /** All keys with the value that counts. */
  *entries(): Generator<readonly [string, V]> {
    for (const [key, values] of this.#values) {
      const value = values.at(-1)
      if (value !== undefined) yield [key, value]
    }
  }

  /** What has changed since the last call: opposites have cancelled each other. */
  takeChanges(): CountedChange<V>[] {
    const changes: CountedChange<V>[] = []
    for (const [key, before] of this.#touched) {
      const after = this.get(key)
      const isSame =
        before === undefined || after === undefined ? before === after : this.#isSame(before, after)
      if (!isSame) changes.push({ key, before, after })
    }
    this.#touched.clear()
    return changes
  }

  #touch(key: string): void {
    if (!this.#touched.has(key)) this.#touched.set(key, this.get(key))
  }
}
