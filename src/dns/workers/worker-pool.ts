import { AggregatorRegistry } from 'prom-client'
import { type Clock, delay } from '../../kube/clock.ts'
import type { ClusterSource } from '../../kube/store.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Corefile, CorefileText } from '../corefile/check-corefile.ts'
import { listenAddresses } from '../plugins/build-servers.ts'
import { interfaceAddresses } from '../plugins/system-parts.ts'
import type {
  AnswerEngine,
  ExplainQuery,
  Explanation,
  MetricsJson,
} from '../server/answer-engine.ts'
import { probePlaces } from './probe-places.ts'
import { SharedWatches } from './shared-watches.ts'
import type { WorkerSetup } from './worker-messages.ts'
import { WorkerThread } from './worker-thread.ts'

/** What a pool is made of. */
export interface PoolParts {
  readonly workerCount: number
  /** The module that calls `runWorker`. */
  readonly entry: URL
  readonly setup: WorkerSetup
  readonly source: ClusterSource
  readonly logger: Logger
  /** Writes a line of a worker's log. */
  readonly log: (line: string) => void
  readonly clock: Clock
}

/** A worker that ended is started again after so long, doubled each time that it ends before it has served for
 *  `stableMs`. */
const firstPauseMs = 100
const longestPauseMs = 10_000
const stableMs = 60_000
/** A worker that does not answer for so long is left out of a page. */
const answerMs = 2_000

/** Answers in several threads at the same addresses: the kernel spreads clients over their sockets. Each
 *  worker has plugins and caches of its own; the cluster is watched once, here, and each change is posted to
 *  all. */
export class WorkerPool implements AnswerEngine {
  readonly #parts: PoolParts
  readonly #watches: SharedWatches
  readonly #ending = new AbortController()
  readonly #failure = Promise.withResolvers<never>()
  /** All that run. */
  readonly #threads = new Set<WorkerThread>()
  /** Workers that answer; one that ended is missing until its successor answers. */
  readonly #workers = new Set<WorkerThread>()
  /** The Corefile in force, for those that follow. */
  #corefile: CorefileText | undefined
  #labels: ReadonlySet<string> = new Set()
  /** What each counted when it was last asked, and what those that ended had counted. */
  readonly #lastMetrics = new WeakMap<WorkerThread, MetricsJson>()
  #pastMetrics: MetricsJson = []

  constructor(parts: PoolParts) {
    this.#parts = parts
    this.#watches = new SharedWatches(parts.source)
    this.#watches.failed.catch((error: unknown) => this.#failure.reject(error))
    // Nobody may be waiting yet, or any more.
    this.#failure.promise.catch(() => {})
  }

  get failed(): Promise<never> {
    return this.#failure.promise
  }

  /** One worker takes it first: if that one cannot, none does. The others follow; one that cannot is replaced. */
  async take(corefile: Corefile): Promise<readonly string[]> {
    const addresses = listenAddresses(corefile, { interfaceAddresses })
    await probePlaces(addresses.filter(({ label }) => !this.#labels.has(label)))
    const { text } = corefile
    if (this.#corefile === undefined) return this.#takeFirst(text)
    const [first, ...others] = this.#workers
    if (first === undefined) throw new Error('no worker answers now; all are being started again')
    const labels = await first.call('take', text)
    this.#putIntoForce(text, labels)
    await Promise.all(others.map((worker) => this.#follow(worker, text)))
    return labels
  }

  async metrics(): Promise<MetricsJson> {
    const answers = await this.#askAll((worker) => worker.call('metrics', undefined))
    for (const { worker, value } of answers) this.#lastMetrics.set(worker, value)
    const all = [...this.#workers].flatMap((worker) => this.#lastMetrics.get(worker) ?? [])
    return [...this.#pastMetrics, ...all]
  }

  async waiting(): Promise<readonly string[]> {
    const answers = await this.#askAll((worker) => worker.call('waiting', undefined))
    return [...new Set(answers.flatMap(({ value }) => value))]
  }

  async explain(query: ExplainQuery): Promise<readonly Explanation[]> {
    const answers = await this.#askAll((worker) => worker.call('explain', query))
    return answers.flatMap(({ value }) => value)
  }

  async close(): Promise<void> {
    this.#ending.abort()
    await Promise.all([...this.#threads].map((thread) => thread.close()))
    this.#watches.close()
  }

  async #takeFirst(text: CorefileText): Promise<readonly string[]> {
    const first = this.#start()
    const labels = await first.call('take', text)
    this.#putIntoForce(text, labels)
    this.#keep(first, 0)
    const count = this.#parts.workerCount - 1
    await Promise.all(Array.from({ length: count }, () => this.#startFollower(0)))
    return labels
  }

  #putIntoForce(text: CorefileText, labels: readonly string[]): void {
    this.#corefile = text
    this.#labels = new Set(labels)
  }

  #start(): WorkerThread {
    const { entry, setup, log } = this.#parts
    const failed = (reason: string): void => this.#failure.reject(new Error(reason))
    const thread = new WorkerThread({ entry, setup, watches: this.#watches, log, failed })
    this.#threads.add(thread)
    void thread.ended.then(() => this.#threads.delete(thread))
    return thread
  }

  /** Starts a worker that takes the Corefile in force, and another one when it ends before that. */
  async #startFollower(pauseMs: number): Promise<void> {
    await delay(this.#parts.clock, pauseMs, this.#ending.signal)
    const text = this.#corefile
    if (this.#ending.signal.aborted || text === undefined) return
    const worker = this.#start()
    try {
      await worker.call('take', text)
    } catch (error) {
      this.#complain(error instanceof Error ? error.message : String(error))
      void worker.close()
      return this.#startFollower(nextPause(pauseMs))
    }
    this.#keep(worker, pauseMs)
    // Another one may have come into force meanwhile.
    const now = this.#corefile
    if (now !== undefined && now !== text) await this.#follow(worker, now)
  }

  /** Lets a worker answer, and starts another one when it ends. */
  #keep(worker: WorkerThread, pauseMs: number): void {
    this.#workers.add(worker)
    const { clock } = this.#parts
    const startMs = clock.now()
    void worker.ended.then(async (reason) => {
      this.#workers.delete(worker)
      if (this.#ending.signal.aborted) return
      this.#complain(reason)
      await this.#remember(worker)
      const isStable = clock.now() - startMs >= stableMs
      await this.#startFollower(isStable ? firstPauseMs : nextPause(pauseMs))
    })
  }

  async #follow(worker: WorkerThread, text: CorefileText): Promise<void> {
    try {
      await worker.call('take', text)
    } catch (error) {
      this.#complain(error instanceof Error ? error.message : String(error))
      void worker.close()
    }
  }

  /** Counters must never fall: dashboards would take that for a start. */
  async #remember(worker: WorkerThread): Promise<void> {
    const last = this.#lastMetrics.get(worker) ?? []
    const counted = last.filter(({ type }) => String(type) !== 'gauge')
    const sum = AggregatorRegistry.aggregate([[...this.#pastMetrics, ...counted]])
    this.#pastMetrics = await sum.getMetricsAsJSON()
  }

  /** What all workers say that answer in time. */
  async #askAll<T>(ask: (worker: WorkerThread) => Promise<T>): Promise<Answered<T>[]> {
    const { clock } = this.#parts
    const answers = await Promise.all(
      [...this.#workers].map(async (worker): Promise<Answered<T>[]> => {
        const late = new AbortController()
        const silence = delay(clock, answerMs, late.signal).then(() => [])
        const answer = ask(worker).then((value) => [{ worker, value }])
        return Promise.race([answer, silence])
          .catch(() => [])
          .finally(() => late.abort())
      }),
    )
    return answers.flat()
  }

  #complain(reason: string): void {
    this.#parts.logger.error(
      { reason },
      'a worker ended, another one is started; the others answer',
    )
  }
}

interface Answered<T> {
  readonly worker: WorkerThread
  readonly value: T
}

function nextPause(pauseMs: number): number {
  return Math.min(longestPauseMs, Math.max(firstPauseMs, pauseMs * 2))
}
