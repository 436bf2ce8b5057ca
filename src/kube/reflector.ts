import { DecodeError } from '../net/decode-error.ts'
import type { ApiTransport } from './api-transport.ts'
import { Backoff, type BackoffBounds } from './backoff.ts'
import { type Clock, delay } from './clock.ts'
import { ClusterAccessError } from './cluster-access.ts'
import type { DecodeOptions } from './decode-pool.ts'
import { IdleGuard } from './idle-guard.ts'
import { listObjects, withQuery } from './list-objects.ts'
import { ObjectIntake } from './object-intake.ts'
import type { Kind, Resources } from './resources.ts'
import type { SourceReport } from './source-event.ts'
import { StatusError } from './status-error.ts'
import type { Selection, Sink } from './store.ts'
import { TransportError } from './transport-error.ts'
import { ListCollector, WatchStream } from './watch-stream.ts'

/** What a reflector works with. */
export interface ReflectorInputs<K extends Kind> {
  readonly transport: ApiTransport
  readonly kind: K
  readonly selection: Selection
  readonly sink: Sink<Resources[K]>
  readonly report: SourceReport
  readonly clock: Clock
  /** 0 <= value < 1. */
  readonly random: () => number
  readonly limits: ReflectorLimits
  readonly decodeOptions?: DecodeOptions
}

/** Sizes and times of a reflector. */
export interface ReflectorLimits {
  /** Objects of one page. */
  readonly pageLimit: number
  /** A watch in which nothing came for so long is taken for dead: a server sends a bookmark about
   *  once a minute, so that two are missing. */
  readonly idleMs: number
  /** The same between the initial events of a streaming list, which come without a pause. */
  readonly initialIdleMs: number
  /** The server ends a watch after this time, up to twice as long (spread over the clients). */
  readonly watchSeconds: number
  readonly backoff: BackoffBounds
}

/** The values that are used when nobody chooses others. */
export const defaultReflectorLimits: ReflectorLimits = {
  pageLimit: 500,
  idleMs: 150_000,
  initialIdleMs: 30_000,
  watchSeconds: 300,
  backoff: { baseMs: 200, maxMs: 30_000 },
}

/** Keeps a sink equal to a collection of the API server until the signal is aborted. Faults of the
 *  network and the server are reported and retried; rejects with a ClusterAccessError when there
 *  are no credentials to begin with. */
export async function runReflector<K extends Kind>(
  inputs: ReflectorInputs<K>,
  signal: AbortSignal,
): Promise<void> {
  await new Reflector(inputs).run(signal)
}

const collections: Readonly<Record<Kind, string>> = {
  Service: '/api/v1/services',
  EndpointSlice: '/apis/discovery.k8s.io/v1/endpointslices',
  Node: '/api/v1/nodes',
  ServiceCIDR: '/apis/networking.k8s.io/v1/servicecidrs',
  Namespace: '/api/v1/namespaces',
  Pod: '/api/v1/pods',
}

/** Kinds without which all works: servers older than 1.33 do not have them, and roles made for older ones
 *  do not allow them. They count as empty then, and are asked for again after this time. */
const dispensable: ReadonlySet<Kind> = new Set<Kind>(['ServiceCIDR'])
const dispensableRetryMs = 600_000

/** A watch that ends faster than this without any event was not worth opening. */
const minWatchMs = 1_000

/** The stream broke one of its promises. */
class WatchFault extends Error {}

class Reflector<K extends Kind> {
  readonly #inputs: ReflectorInputs<K>
  readonly #intake: ObjectIntake<K>
  readonly #backoff: Backoff
  /** Where the next watch goes on; undefined: a list is needed. */
  #version: string | undefined
  #hasSynced = false
  #canStreamList = true
  /** The fault that was reported last; undefined: all is well. */
  #fault: string | undefined
  /** The fault that was reported last came after the watch had been accepted: to be accepted again
   *  proves nothing. */
  #isFaultInStream = false
  /** The current attempt's watch has been accepted. */
  #isOpen = false
  /** The current attempt was worth it: what follows is no state to be reported. */
  #hasProgress = false

  constructor(inputs: ReflectorInputs<K>) {
    this.#inputs = inputs
    this.#intake = new ObjectIntake(inputs.kind, inputs.sink, inputs.report, inputs.decodeOptions)
    this.#backoff = new Backoff(inputs.limits.backoff, inputs.random)
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#hasProgress = false
      this.#isOpen = false
      try {
        await this.#attempt(signal)
      } catch (error) {
        if (signal.aborted) return
        await delay(this.#inputs.clock, this.#heal(error), signal)
      }
    }
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    if (this.#version !== undefined) return this.#watch(this.#version, signal)
    if (!this.#canStreamList) return this.#list(signal)
    try {
      await this.#watch(undefined, signal)
    } catch (error) {
      // A server that cannot stream a list is no fault: the next attempt lists pages.
      if (this.#canStreamList) throw error
    }
  }

  /** Notes what follows from a fault and gives the time to wait, milliseconds. */
  #heal(error: unknown): number {
    if (!isOfOthers(error) || (error instanceof ClusterAccessError && !this.#hasSynced)) throw error
    if (isDenied(error) && dispensable.has(this.#inputs.kind)) {
      if (!this.#hasSynced) this.#inputs.sink.replace([])
      this.#hasSynced = true
      return dispensableRetryMs
    }
    const isExpired = error instanceof StatusError && error.isExpired
    if (isExpired || error instanceof DecodeError) this.#version = undefined
    // A connection that did its work and broke is everyday life, and so is an expired version.
    if (!this.#hasProgress && !isExpired) this.#reportFault(error)
    const retryAfterMs = error instanceof StatusError ? (error.retryAfterMs ?? 0) : 0
    return Math.max(this.#backoff.next(), retryAfterMs)
  }

  #reportFault(error: Error): void {
    if (this.#fault === error.message) return
    this.#fault = error.message
    this.#isFaultInStream = this.#isOpen
    this.#inputs.report({ kind: 'watch failed', resource: this.#inputs.kind, error })
  }

  #reportHealth(): void {
    if (this.#fault === undefined) return
    this.#fault = undefined
    this.#inputs.report({ kind: 'watch restored', resource: this.#inputs.kind })
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { transport, kind, limits } = this.#inputs
    const collector = new ListCollector(this.#intake)
    const collection = {
      path: collections[kind],
      query: this.#query(),
      limit: limits.pageLimit,
    }
    this.#version = await listObjects(transport, collection, collector, signal)
    collector.finish()
    this.#hasSynced = true
    if (!this.#isFaultInStream) this.#reportHealth()
  }

  /** Watches from a version, or with the initial events first when there is none. Returns when the
   *  server has ended the watch in good order. */
  async #watch(version: string | undefined, signal: AbortSignal): Promise<void> {
    const { transport, kind, clock, limits } = this.#inputs
    const isInitial = version === undefined
    const idle = new AbortController()
    const guard = new IdleGuard(clock, limits.idleMs, () => idle.abort())
    let openedAt = Number.POSITIVE_INFINITY
    const stream = new WatchStream(this.#intake, isInitial)
    try {
      const path = withQuery(collections[kind], this.#watchQuery(version))
      const batches = await transport.openLines(path, AbortSignal.any([signal, idle.signal]))
      openedAt = clock.now()
      this.#isOpen = true
      if (!this.#isFaultInStream) this.#reportHealth()
      if (isInitial) guard.restart(limits.initialIdleMs)
      for await (const lines of batches) {
        guard.note()
        const wasInitial = stream.isInitial
        this.#take(stream, lines)
        if (wasInitial && !stream.isInitial) guard.restart(limits.idleMs)
      }
    } catch (error) {
      if (clock.now() - openedAt >= minWatchMs) this.#hasProgress = true
      throw this.#watchError(error, stream, idle.signal.aborted)
    } finally {
      guard.close()
    }
    if (stream.isInitial) throw new WatchFault(`${kind}: the initial events have no end`)
    if (!this.#hasProgress && clock.now() - openedAt < minWatchMs) {
      throw new WatchFault(`${kind}: the server ends each watch at once`)
    }
  }

  #take(stream: WatchStream<K>, lines: readonly string[]): void {
    for (const line of lines) {
      const version = stream.take(line)
      if (version === undefined) continue
      this.#version = version
      this.#hasSynced = true
      this.#hasProgress = true
      this.#backoff.reset()
      this.#reportHealth()
    }
  }

  /** A server that cannot stream lists says so, or never ends the initial events: list pages
   *  then. */
  #watchError(error: unknown, stream: WatchStream<K>, isIdle: boolean): unknown {
    const { kind, limits } = this.#inputs
    if (stream.isInitial && (isIdle || isRefusal(error))) this.#canStreamList = false
    if (!isIdle) return error
    return new WatchFault(`${kind}: nothing came for ${limits.idleMs} ms`)
  }

  #query(): URLSearchParams {
    const { labelSelector, fieldSelector } = this.#inputs.selection
    return new URLSearchParams({
      ...(labelSelector ? { labelSelector } : {}),
      ...(fieldSelector ? { fieldSelector } : {}),
    })
  }

  #watchQuery(version: string | undefined): URLSearchParams {
    const { limits, random } = this.#inputs
    const query = this.#query()
    query.set('watch', 'true')
    query.set('allowWatchBookmarks', 'true')
    query.set('timeoutSeconds', String(Math.round(limits.watchSeconds * (1 + random()))))
    if (version !== undefined) query.set('resourceVersion', version)
    else {
      query.set('sendInitialEvents', 'true')
      query.set('resourceVersionMatch', 'NotOlderThan')
    }
    return query
  }
}

/** Faults of the network, the server and the credentials; everything else is our own and ends
 *  us. */
function isOfOthers(error: unknown): error is Error {
  return (
    error instanceof StatusError ||
    error instanceof TransportError ||
    error instanceof DecodeError ||
    error instanceof WatchFault ||
    error instanceof ClusterAccessError
  )
}

/** The collection does not exist, or may not be read. */
function isDenied(error: unknown): boolean {
  return error instanceof StatusError && [403, 404].includes(error.status)
}

/** The answers to a request whose parameters the server does not know. */
function isRefusal(error: unknown): boolean {
  return error instanceof StatusError && [400, 405, 406, 422, 501].includes(error.status)
}
