import type { Kind, Resources } from '../../kube/resources.ts'
import type { ClusterSource, Selection, Sink } from '../../kube/store.ts'
import { aborted } from '../../net/aborted.ts'
import type { FromWorker, NumberedEvent } from './worker-messages.ts'

/** The cluster as a worker sees it: the main thread watches, and posts what changes. */
export class PostedSource implements ClusterSource {
  readonly #post: (message: FromWorker) => void
  readonly #sinks = new Map<number, Sink<Resources[Kind]>>()
  #lastWatch = 0

  constructor(post: (message: FromWorker) => void) {
    this.#post = post
  }

  async watch<K extends Kind>(
    kind: K,
    selection: Selection,
    sink: Sink<Resources[K]>,
    signal: AbortSignal,
  ): Promise<void> {
    const watch = ++this.#lastWatch
    // What is posted for this number is of this kind.
    this.#sinks.set(watch, sink as unknown as Sink<Resources[Kind]>)
    this.#post({ kind: 'watch', watch, of: kind, selection })
    await aborted(signal)
    this.#sinks.delete(watch)
    this.#post({ kind: 'unwatch', watch })
  }

  /** Gives posted events to those who watch. */
  deliver(events: readonly NumberedEvent[]): void {
    for (const { watch, event } of events) {
      const sink = this.#sinks.get(watch)
      switch (event.kind) {
        case 'replace':
          sink?.replace(event.objects)
          break
        case 'set':
          sink?.set(event.object)
          break
        case 'delete':
          sink?.delete(event.key)
          break
      }
    }
  }
}
