import type { Kind, Resources } from '../../kube/resources.ts'
import { type ClusterSource, type Selection, Store } from '../../kube/store.ts'
import type { ObjectEvent } from './worker-messages.ts'

/** One watch of the cluster for each kind and selection, however many workers follow it. Who comes later gets
 *  the state first, and then the same changes as the others. */
export class SharedWatches {
  readonly #source: ClusterSource
  readonly #watches = new Map<string, SharedWatch>()
  readonly #failure = Promise.withResolvers<never>()

  constructor(source: ClusterSource) {
    this.#source = source
    // Nobody may be waiting yet, or any more.
    this.#failure.promise.catch(() => {})
  }

  /** Rejects when a watch cannot go on; never resolves. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  /** Tells the follower the state when it is known, and every change from then on; returns the way to end
   *  that. A watch that nobody follows ends. */
  follow(kind: Kind, selection: Selection, tell: (event: ObjectEvent) => void): () => void {
    const key = JSON.stringify([kind, selection])
    const watch = this.#watches.get(key) ?? this.#open(kind, selection)
    this.#watches.set(key, watch)
    const unfollow = follow(watch.store, tell)
    watch.followerCount++
    return () => {
      unfollow()
      if (--watch.followerCount > 0) return
      watch.ending.abort()
      this.#watches.delete(key)
    }
  }

  /** Ends all watches. */
  close(): void {
    for (const { ending } of this.#watches.values()) ending.abort()
  }

  #open(kind: Kind, selection: Selection): SharedWatch {
    const ending = new AbortController()
    const store = new Store<Resources[Kind]>()
    this.#source
      .watch(kind, selection, store, ending.signal)
      .catch((error: unknown) => this.#failure.reject(error))
    return { store, ending, followerCount: 0 }
  }
}

interface SharedWatch {
  readonly store: Store<Resources[Kind]>
  readonly ending: AbortController
  followerCount: number
}

function follow(store: Store<Resources[Kind]>, tell: (event: ObjectEvent) => void): () => void {
  let hasState = false
  let hasEnded = false
  const giveState = (): void => {
    if (hasEnded) return
    hasState = true
    tell({ kind: 'replace', objects: [...store.values()] })
  }
  const unsubscribe = store.subscribe(({ key, after }) => {
    // What comes before the state is part of it.
    if (!hasState) return
    tell(after === undefined ? { kind: 'delete', key } : { kind: 'set', object: after })
  })
  if (store.isSynced) giveState()
  else void store.synced.then(giveState)
  return () => {
    hasEnded = true
    unsubscribe()
  }
}
