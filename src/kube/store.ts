import type { Kind, ResourceMeta, Resources } from './resources.ts'
import { resourceKey } from './resources.ts'
import { StoreIndex } from './store-index.ts'

/** One change of a store: `before` undefined is an addition, `after` undefined a removal. */
export interface Change<T> {
  readonly key: string
  readonly before: T | undefined
  readonly after: T | undefined
}

/** Called synchronously, in the turn in which the change was decoded. */
export type ChangeListener<T> = (change: Change<T>) => void

/** Where a source puts what it decodes. */
export interface Sink<T> {
  /** What the sink holds now; a source keeps it when a newer version cannot be decoded. */
  get(key: string): T | undefined
  /** The complete state after a list: what is not in it is gone. */
  replace(objects: readonly T[]): void
  set(object: T): void
  delete(key: string): void
}

/** The current objects of one kind, by `namespace/name`. */
export class Store<T extends ResourceMeta> implements Sink<T> {
  readonly #objects = new Map<string, T>()
  readonly #listeners = new Set<ChangeListener<T>>()
  readonly #synced = Promise.withResolvers<void>()
  #isSynced = false

  /** True after the first complete list. */
  get isSynced(): boolean {
    return this.#isSynced
  }

  /** Resolves after the first complete list. */
  get synced(): Promise<void> {
    return this.#synced.promise
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  values(): IterableIterator<T> {
    return this.#objects.values()
  }

  /** The objects by something else than their key, such as slices by their service. Made before other
   *  listeners subscribe, the index is up to date when they are called. `groupOf` must be pure. */
  indexBy(groupOf: (object: T) => string | undefined): StoreIndex<T> {
    return new StoreIndex(this, groupOf)
  }

  /** Calls the listener for every later change; returns the way to end that. */
  subscribe(listener: ChangeListener<T>): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  replace(objects: readonly T[]): void {
    const kept = new Set<string>()
    for (const object of objects) {
      kept.add(resourceKey(object))
      this.set(object)
    }
    for (const key of [...this.#objects.keys()]) if (!kept.has(key)) this.delete(key)
    if (this.#isSynced) return
    this.#isSynced = true
    this.#synced.resolve()
  }

  set(object: T): void {
    const key = resourceKey(object)
    const before = this.#objects.get(key)
    if (before?.resourceVersion === object.resourceVersion && object.resourceVersion !== '') return
    this.#objects.set(key, object)
    this.#notify({ key, before, after: object })
  }

  delete(key: string): void {
    const before = this.#objects.get(key)
    if (before === undefined) return
    this.#objects.delete(key)
    this.#notify({ key, before, after: undefined })
  }

  #notify(change: Change<T>): void {
    for (const listener of this.#listeners) listener(change)
  }
}

/** Which objects of a kind are wanted, in the API's own selector syntax; empty selects all. */
export interface Selection {
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

/** A place where cluster state comes from: an API server or a folder of manifests. */
export interface ClusterSource {
  /** Keeps `sink` equal to the source until the signal is aborted; retries by itself. Resolves
   *  when aborted; rejects only for what cannot heal (bad credentials file, missing folder). */
  watch<K extends Kind>(
    kind: K,
    selection: Selection,
    sink: Sink<Resources[K]>,
    signal: AbortSignal,
  ): Promise<void>
}
