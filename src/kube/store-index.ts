import { type ResourceMeta, resourceKey } from './resources.ts'

/** What an index follows: a store. */
export interface Followed<T> {
  values(): Iterable<T>
  subscribe(
    listener: (change: {
      readonly key: string
      readonly before: T | undefined
      readonly after: T | undefined
    }) => void,
  ): () => void
}

/** The objects of a store by something else than their key, such as slices by the service they
 *  belong to. Made before other listeners subscribe, it is up to date when they are called. */
export class StoreIndex<T extends ResourceMeta> {
  readonly #groups = new Map<string, Map<string, T>>()
  readonly #close: () => void

  /** `groupOf` gives the group of an object; undefined leaves it out. It must be pure. */
  constructor(store: Followed<T>, groupOf: (object: T) => string | undefined) {
    this.#close = store.subscribe(({ key, before, after }) => {
      const groupBefore = before && groupOf(before)
      const groupAfter = after && groupOf(after)
      if (groupBefore !== undefined && groupBefore !== groupAfter) this.#remove(groupBefore, key)
      if (groupAfter !== undefined && after !== undefined) this.#put(groupAfter, key, after)
    })
    for (const object of store.values()) {
      const group = groupOf(object)
      if (group !== undefined) this.#put(group, resourceKey(object), object)
    }
  }

  /** The objects of a group, in no particular order; empty when there are none. */
  get(group: string): Iterable<T> {
    return this.#groups.get(group)?.values() ?? []
  }

  /** Ends the following of the store. */
  close(): void {
    this.#close()
  }

  #put(group: string, key: string, object: T): void {
    const objects = this.#groups.get(group)
    if (objects === undefined) this.#groups.set(group, new Map([[key, object]]))
    else objects.set(key, object)
  }

  #remove(group: string, key: string): void {
    const objects = this.#groups.get(group)
    objects?.delete(key)
    if (objects?.size === 0) this.#groups.delete(group)
  }
}
