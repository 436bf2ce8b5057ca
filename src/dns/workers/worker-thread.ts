import { Worker } from 'node:worker_threads'
import type { SharedWatches } from './shared-watches.ts'
import type {
  FromWorker,
  NumberedEvent,
  ToWorker,
  WorkerCalls,
  WorkerSetup,
} from './worker-messages.ts'

/** What a worker thread is started with, and tells. */
export interface ThreadInputs {
  /** The module that calls `runWorker`. */
  readonly entry: URL
  readonly setup: WorkerSetup
  readonly watches: SharedWatches
  /** A line of its log. */
  readonly log: (line: string) => void
  /** See `AnswerEngine.failed`. */
  readonly failed: (reason: string) => void
}

/** Room for short-lived objects: the engine makes 8 MB of it, as `portolan dns` allows itself with one thread; it
 *  would take 28 (measured, Node 26). */
const maxYoungGenerationSizeMb = 16

/** A call that is not answered yet. */
interface PendingCall {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

/** One worker, seen from the main thread: calls it, and feeds it with the objects that it watches. */
export class WorkerThread {
  readonly #inputs: ThreadInputs
  readonly #worker: Worker
  readonly #calls = new Map<number, PendingCall>()
  readonly #unfollow = new Map<number, () => void>()
  readonly #ended = Promise.withResolvers<string>()
  #waitingEvents: NumberedEvent[] = []
  #lastCall = 0
  #reason = 'it ended by itself'

  constructor(inputs: ThreadInputs) {
    this.#inputs = inputs
    const resourceLimits = { maxYoungGenerationSizeMb }
    this.#worker = new Worker(inputs.entry, { workerData: inputs.setup, resourceLimits })
    this.#worker.on('message', (message: FromWorker) => this.#receive(message))
    this.#worker.on('error', (error: unknown) => {
      this.#reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    })
    this.#worker.on('exit', () => this.#end())
  }

  /** Resolves with the reason when the thread has ended. */
  get ended(): Promise<string> {
    return this.#ended.promise
  }

  /** Calls the worker. Rejects with its words when it refuses, and when it ends before it answers. */
  call<Name extends keyof WorkerCalls>(
    name: Name,
    argument: Parameters<WorkerCalls[Name]>[0],
  ): ReturnType<WorkerCalls[Name]> {
    const call = ++this.#lastCall
    const { promise, resolve, reject } = Promise.withResolvers<never>()
    this.#calls.set(call, { resolve, reject })
    // The union of calls cannot be told from a name and its argument.
    this.#post({ kind: 'call', call, name, argument } as ToWorker)
    return promise as ReturnType<WorkerCalls[Name]>
  }

  /** Lets it answer what it has, and resolves when it has ended. */
  async close(): Promise<void> {
    this.#post({ kind: 'close' })
    await this.#ended.promise
  }

  #receive(message: FromWorker): void {
    const { watches, log, failed } = this.#inputs
    switch (message.kind) {
      case 'returned':
        this.#take(message.call)?.resolve(message.value as never)
        break
      case 'refused':
        this.#take(message.call)?.reject(new Error(message.reason))
        break
      case 'watch': {
        const { watch, of, selection } = message
        const tell = (event: NumberedEvent['event']): void => this.#tell({ watch, event })
        this.#unfollow.set(watch, watches.follow(of, selection, tell))
        break
      }
      case 'unwatch':
        this.#stopFollowing(message.watch)
        break
      case 'failed':
        failed(message.reason)
        break
      case 'log':
        log(message.line)
        break
    }
  }

  #take(call: number): PendingCall | undefined {
    const pending = this.#calls.get(call)
    this.#calls.delete(call)
    return pending
  }

  /** All that changes in one turn is one message. */
  #tell(event: NumberedEvent): void {
    this.#waitingEvents.push(event)
    if (this.#waitingEvents.length > 1) return
    queueMicrotask(() => {
      const events = this.#waitingEvents
      this.#waitingEvents = []
      this.#post({ kind: 'objects', events })
    })
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  #stopFollowing(watch: number): void {
    this.#unfollow.get(watch)?.()
    this.#unfollow.delete(watch)
  }

  #end(): void {
    for (const watch of [...this.#unfollow.keys()]) this.#stopFollowing(watch)
    const error = new Error(`a worker ended: ${this.#reason}`)
    for (const { reject } of this.#calls.values()) reject(error)
    this.#calls.clear()
    this.#ended.resolve(this.#reason)
  }
}
