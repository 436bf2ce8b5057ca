import type { Clock } from '../kube/clock.ts'
import { type EndpointSlice, resourceKey, type Service } from '../kube/resources.ts'
import type { Store } from '../kube/store.ts'
import { aborted } from '../net/aborted.ts'
import type { NodeIdentity, NodePlan } from './plan/plan.ts'
import type { Planner } from './plan/planner.ts'
import type { Mechanism, SyncReport } from './port/mechanism.ts'
import type { ReconcilerObserver, Synchronization } from './reconciler-observer.ts'

/** What a reconciler works with. */
export interface ReconcilerOptions {
  readonly services: Store<Service>
  readonly slices: Store<EndpointSlice>
  readonly planner: Planner
  readonly mechanism: Mechanism
  readonly node: NodePlan
  readonly observer: ReconcilerObserver
  /** Least time between the starts of two synchronisations; 0: a lone change goes out at once, and what
   *  arrives in the same turn of the event loop goes out with it. */
  readonly minSyncPeriodMs: number
  /** Time after which the kernel is read and compared although nothing happened; 0: never. */
  readonly syncPeriodMs: number
  readonly clock: Clock
  /** Monotonic milliseconds with fractions, for durations. */
  readonly stopwatch: () => number
}

/** After a refused transaction the kernel is read again: first after this time, then after twice as long
 *  each time, up to the maximum. */
const firstRetryMs = 100
const maximumRetryMs = 30_000
/** Repairs are at least this far apart, so that two programs that undo each other do not fill a core. */
const repairPeriodMs = 50

/** Keeps the kernel equal to the stores. Level-triggered: a synchronisation looks at what is, not at what
 *  happened, so events may come late, doubled or in any order. */
export class Reconciler {
  readonly #options: ReconcilerOptions
  #node: NodePlan
  /** Why the next synchronisation reads the kernel; undefined: changed services only. */
  #full: 'full' | 'repair' | undefined = 'full'
  #oldestEvent: number | undefined
  #isSynced = false
  #isRunning = false
  #isWanted = false
  #cancelTimer: (() => void) | undefined
  #lastStartMs = Number.NEGATIVE_INFINITY
  #lastRepairMs = Number.NEGATIVE_INFINITY
  #retryMs = firstRetryMs
  /** No synchronisation before this time, after a refused one. */
  #notBeforeMs = Number.NEGATIVE_INFINITY
  #isStopped = false
  /** Begins to watch for changes by others, once: after the first synchronisation, whose own
   *  notifications would be more than a socket holds. */
  #watch: () => void = () => {}
  /** Settled when the synchronisation under way has ended. */
  #idle: PromiseWithResolvers<void> | undefined

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#node = options.node
  }

  /** Takes over what is new about this node; everything is compared again. */
  setNode(node: NodePlan, identity: NodeIdentity): void {
    this.#node = node
    this.#options.planner.setIdentity(identity)
    this.#full ??= 'full'
    this.#want(0)
  }

  /** Synchronises until the signal is aborted; a synchronisation under way is finished first. Nothing is
   *  written before both stores have their first complete state. */
  async run(signal: AbortSignal): Promise<void> {
    const { services, slices, mechanism, syncPeriodMs } = this.#options
    const unsubscribe = [this.#feedServices(), this.#feedSlices()]
    const ended = aborted(signal)
    await Promise.race([ended, Promise.all([services.synced, slices.synced])])
    if (!signal.aborted) {
      this.#isSynced = true
      this.#watch = () => mechanism.watchDrift((what) => this.#drifted(what), signal)
      this.#want(0)
      const stopPeriod = syncPeriodMs > 0 ? this.#repeat(syncPeriodMs) : () => {}
      await ended
      stopPeriod()
    }
    this.#isStopped = true
    this.#cancelTimer?.()
    for (const end of unsubscribe) end()
    await this.#idle?.promise
  }

  #feedServices(): () => void {
    const { services, planner, observer } = this.#options
    for (const service of services.values()) planner.setService(resourceKey(service), service)
    return services.subscribe(({ key, after }) => {
      planner.setService(key, after)
      observer.changed('service')
      this.#event()
    })
  }

  #feedSlices(): () => void {
    const { slices, planner, observer } = this.#options
    for (const slice of slices.values()) planner.setSlice(resourceKey(slice), slice)
    return slices.subscribe(({ key, after }) => {
      planner.setSlice(key, after)
      observer.changed('endpointslice')
      this.#event()
    })
  }

  #event(): void {
    if (!this.#isSynced) return
    this.#oldestEvent ??= this.#options.stopwatch()
    this.#want(
      Math.max(0, this.#lastStartMs + this.#options.minSyncPeriodMs - this.#options.clock.now()),
    )
  }

  #drifted(what: string): void {
    if (this.#full === 'repair') return
    this.#options.observer.drifted(what)
    this.#full = 'repair'
    this.#want(Math.max(0, this.#lastRepairMs + repairPeriodMs - this.#options.clock.now()))
  }

  #repeat(periodMs: number): () => void {
    let cancel = (): void => {}
    const next = (): void => {
      cancel = this.#options.clock.schedule(() => {
        this.#full ??= 'full'
        this.#want(0)
        next()
      }, periodMs)
    }
    next()
    return () => cancel()
  }

  /** Starts a synchronisation after a delay; an earlier wish for a later time gives way to a repair only. */
  #want(wishedDelayMs: number): void {
    if (this.#isStopped || !this.#isSynced) return
    const delayMs = Math.max(wishedDelayMs, this.#notBeforeMs - this.#options.clock.now())
    if (this.#isRunning) {
      this.#isWanted = true
      return
    }
    if (this.#cancelTimer !== undefined) {
      if (delayMs > 0) return
      this.#cancelTimer()
    }
    const start = (): void => {
      this.#cancelTimer = undefined
      void this.#synchronize()
    }
    if (delayMs > 0) {
      this.#cancelTimer = this.#options.clock.schedule(start, delayMs)
      return
    }
    const immediate = setImmediate(start)
    this.#cancelTimer = () => clearImmediate(immediate)
  }

  async #synchronize(): Promise<void> {
    if (this.#isStopped) return
    this.#isRunning = true
    this.#idle = Promise.withResolvers<void>()
    const { clock, observer } = this.#options
    this.#lastStartMs = clock.now()
    try {
      const synchronization = await this.#program()
      this.#retryMs = firstRetryMs
      observer.synchronized(synchronization)
      this.#watch()
      this.#watch = () => {}
    } catch (error) {
      this.#full ??= 'full'
      observer.failed(error instanceof Error ? error : new Error(String(error)), this.#retryMs)
      this.#notBeforeMs = clock.now() + this.#retryMs
      this.#retryMs = Math.min(this.#retryMs * 2, maximumRetryMs)
      this.#isWanted = true
    }
    this.#isRunning = false
    this.#idle.resolve()
    const isWanted = this.#isWanted
    this.#isWanted = false
    if (isWanted) this.#wantAgain()
  }

  #wantAgain(): void {
    if (this.#full === undefined && this.#oldestEvent !== undefined) this.#event()
    else this.#want(0)
  }

  async #program(): Promise<Synchronization> {
    const { planner, mechanism, stopwatch, clock } = this.#options
    const started = stopwatch()
    const oldestEvent = this.#oldestEvent
    const full = this.#full
    this.#oldestEvent = undefined
    this.#full = undefined
    const changes = planner.takeChanges()
    let report: SyncReport
    try {
      if (full === undefined) report = await mechanism.update(changes)
      else {
        report = await mechanism.synchronize({ node: this.#node, services: planner.services })
        if (full === 'repair') this.#lastRepairMs = clock.now()
      }
    } catch (error) {
      this.#oldestEvent ??= oldestEvent
      this.#full ??= full
      throw error
    }
    const finished = stopwatch()
    return {
      ...report,
      kind: full ?? 'update',
      durationMs: finished - started,
      services: full === undefined ? changes.length : planner.services.size,
      eventToKernelMs: oldestEvent === undefined ? undefined : finished - oldestEvent,
    }
  }
}
