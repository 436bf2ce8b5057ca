import process from 'node:process'
import { systemClock } from '../../src/kube/clock.ts'
import { createDecodePool } from '../../src/kube/decode-pool.ts'
import { decodeResource } from '../../src/kube/decode-resource.ts'
import type { EndpointSlice, Service } from '../../src/kube/resources.ts'
import { Store } from '../../src/kube/store.ts'
import type { NodePlan } from '../../src/proxy/plan/plan.ts'
import { Planner } from '../../src/proxy/plan/planner.ts'
import type { Mechanism } from '../../src/proxy/port/mechanism.ts'
import { Reconciler } from '../../src/proxy/reconciler.ts'
import type { Synchronization } from '../../src/proxy/reconciler-observer.ts'
import { type ClusterSize, generateCluster, generatedNode } from '../support/generate-cluster.ts'

const node: NodePlan = {
  families: [4, 6],
  podDetector: { kind: 'none' },
  masqueradeAll: false,
  masqueradeMark: 0x4000,
  nodePortAddresses: 'any-local',
  serviceRanges: [],
}

/** The daemon's own parts from the stores down to the kernel of this network namespace; only the API
 *  client in front and the status servers beside them are missing. */
export class ProxyUnderTest {
  readonly services = new Store<Service>()
  readonly slices = new Store<EndpointSlice>()
  readonly #pool = createDecodePool()
  readonly #mechanism: Mechanism
  readonly #abort = new AbortController()
  #waiting: PromiseWithResolvers<Synchronization> | undefined
  #running: Promise<void> | undefined

  constructor(mechanism: Mechanism) {
    this.#mechanism = mechanism
  }

  /** Fills the stores, as after the first lists. */
  load(size: ClusterSize): void {
    const cluster = generateCluster(size, this.#pool)
    this.services.replace(cluster.services)
    this.slices.replace(cluster.slices)
  }

  /** Starts and waits for the first synchronisation; gives it and how long it took, milliseconds. */
  async start(): Promise<Synchronization & { readonly tookMs: number }> {
    const start = performance.now()
    const first = this.#next()
    const reconciler = new Reconciler({
      services: this.services,
      slices: this.slices,
      planner: new Planner({
        identity: { nodeName: generatedNode, zone: '', addresses: ['192.0.2.1'] },
        node,
      }),
      mechanism: this.#mechanism,
      node,
      observer: {
        changed: () => undefined,
        synchronized: (synchronization) => this.#waiting?.resolve(synchronization),
        failed: (error) => this.#waiting?.reject(error),
        drifted: (what) => this.#waiting?.reject(new Error(`a change by somebody else: ${what}`)),
      },
      minSyncPeriodMs: 0,
      syncPeriodMs: 0,
      clock: systemClock,
      stopwatch: () => performance.now(),
    })
    this.#running = reconciler.run(this.#abort.signal)
    const synchronization = await first
    return { ...synchronization, tookMs: performance.now() - start }
  }

  /** Decodes objects, then puts them into the stores as a watch does, and waits until the kernel has
   *  acknowledged. The time counts from the end of the decoding, milliseconds. */
  async apply(
    objects: readonly Readonly<Record<string, unknown>>[],
  ): Promise<{ readonly tookMs: number; readonly bytes: number }> {
    const decoded = objects.map((object) =>
      object.kind === 'Service'
        ? decodeResource('Service', object, this.#pool)
        : decodeResource('EndpointSlice', object, this.#pool),
    )
    return this.#measure(() => {
      for (const object of decoded) {
        if (object.kind === 'Service') this.services.set(object)
        else this.slices.set(object)
      }
    })
  }

  /** Removes a service and a slice by their keys; as `apply`. */
  async remove(
    service: string,
    slice: string,
  ): Promise<{ readonly tookMs: number; readonly bytes: number }> {
    return this.#measure(() => {
      this.services.delete(service)
      this.slices.delete(slice)
    })
  }

  /** Resident memory of this process, MB (10^6 bytes). */
  residentMegabytes(): number {
    return process.memoryUsage.rss() / 1e6
  }

  /** Ends; the rules stay in the namespace. */
  async close(): Promise<void> {
    this.#abort.abort()
    await this.#running
    this.#mechanism.close()
  }

  async #measure(change: () => void): Promise<{ readonly tookMs: number; readonly bytes: number }> {
    const done = this.#next()
    const start = performance.now()
    change()
    const { bytes } = await done
    return { tookMs: performance.now() - start, bytes }
  }

  #next(): Promise<Synchronization> {
    this.#waiting = Promise.withResolvers<Synchronization>()
    return this.#waiting.promise
  }
}
