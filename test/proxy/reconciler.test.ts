import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EndpointSlice, Service } from '../../src/kube/resources.ts'
import { Store } from '../../src/kube/store.ts'
import type { PlanChange } from '../../src/proxy/plan/plan.ts'
import { Planner } from '../../src/proxy/plan/planner.ts'
import type { Mechanism, Plan, SyncReport } from '../../src/proxy/port/mechanism.ts'
import { Reconciler, type ReconcilerOptions } from '../../src/proxy/reconciler.ts'
import { FakeClock } from '../kube/fake-clock.ts'
import { parseCluster, planContext } from '../support/plan-fixture.ts'

const test = suite('proxy/reconciler')

const report: SyncReport = { transactions: 1, operations: 1, bytes: 1 }

/** A mechanism that writes down what it is asked for, in one line each. */
class FakeMechanism implements Mechanism {
  readonly name = 'fake'
  readonly calls: string[] = []
  failures = 0
  drift: (what: string) => void = () => {}
  /** Lets a test hold a synchronisation open. */
  gate: Promise<void> = Promise.resolve()

  async synchronize(plan: Plan): Promise<SyncReport> {
    return this.#answer(`synchronize ${[...plan.services.keys()].sort().join(' ')}`)
  }

  async update(changes: readonly PlanChange[]): Promise<SyncReport> {
    return this.#answer(
      `update ${changes
        .map(({ service }) => service)
        .sort()
        .join(' ')}`,
    )
  }

  async #answer(call: string): Promise<SyncReport> {
    this.calls.push(call)
    await this.gate
    if (this.failures > 0) {
      this.failures--
      throw new Error('refused')
    }
    return report
  }

  watchDrift(onDrift: (what: string) => void): void {
    this.drift = onDrift
  }

  async compare(): Promise<readonly never[]> {
    return []
  }

  async trace(): Promise<never> {
    throw new Error('not asked for here')
  }

  async cleanup(): Promise<SyncReport> {
    return report
  }

  close(): void {}
}

interface Stage {
  readonly clock: FakeClock
  readonly mechanism: FakeMechanism
  readonly services: Store<Service>
  readonly slices: Store<EndpointSlice>
  /** What the observer was told, in order. */
  readonly events: string[]
  /** Lets everything that is due happen. */
  settle(): Promise<void>
}

async function onStage(
  body: (stage: Stage) => Promise<void>,
  options: Partial<ReconcilerOptions> = {},
): Promise<void> {
  const clock = new FakeClock()
  const mechanism = new FakeMechanism()
  const services = new Store<Service>()
  const slices = new Store<EndpointSlice>()
  const context = planContext()
  const events: string[] = []
  const reconciler = new Reconciler({
    services,
    slices,
    mechanism,
    clock,
    planner: new Planner(context),
    node: context.node,
    observer: {
      changed: () => {},
      synchronized: ({ kind }) => events.push(kind),
      failed: (error, retryMs) => events.push(`${error.message}, again in ${retryMs}`),
      drifted: (what) => events.push(`drift: ${what}`),
    },
    minSyncPeriodMs: 0,
    syncPeriodMs: 0,
    stopwatch: () => clock.now(),
    ...options,
  })
  const end = new AbortController()
  const ended = reconciler.run(end.signal)
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  await body({ clock, mechanism, services, slices, events, settle })
  end.abort()
  await ended
  assert.is(clock.waiting, 0, 'no timer is left')
}

const { services, slices } = parseCluster(`
  service web 10.96.0.10 http:80/TCP
  service api 10.96.0.11 http:80/TCP
  slice web-1 of web http:8080/TCP | 10.1.0.4@n1
`)
const [web, api] = services as [Service, Service]
const [slice] = slices as [EndpointSlice]

test('nothing is written before both lists are complete', () =>
  onStage(async ({ mechanism, settle, ...stores }) => {
    stores.services.replace([web, api])
    await settle()
    assert.equal(mechanism.calls, [])
    stores.slices.replace([slice])
    await settle()
    assert.equal(mechanism.calls, ['synchronize ns/api ns/web'])
  }))

test('a burst is one update, a lone change goes out at once', () =>
  onStage(async ({ mechanism, settle, ...stores }) => {
    stores.services.replace([web])
    stores.slices.replace([])
    await settle()
    stores.slices.set(slice)
    stores.services.set(api)
    await settle()
    stores.slices.delete('ns/web-1')
    await settle()
    assert.equal(mechanism.calls.slice(1), ['update ns/api ns/web', 'update ns/web'])
  }))

test('changes during a synchronisation go out after it', () =>
  onStage(async ({ mechanism, settle, ...stores }) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    mechanism.gate = promise
    stores.services.replace([web])
    stores.slices.replace([])
    await settle()
    stores.services.set(api)
    await settle()
    assert.is(mechanism.calls.length, 1)
    resolve()
    await settle()
    assert.equal(mechanism.calls.slice(1), ['update ns/api'])
  }))

test('minSyncPeriod keeps synchronisations apart', () =>
  onStage(
    async ({ mechanism, clock, settle, ...stores }) => {
      stores.services.replace([web])
      stores.slices.replace([])
      await settle()
      stores.services.set(api)
      await settle()
      clock.advance(999)
      await settle()
      assert.is(mechanism.calls.length, 1)
      clock.advance(1)
      await settle()
      assert.is(mechanism.calls.length, 2)
      clock.advance(5000)
      stores.services.delete('ns/api')
      await settle()
      assert.is(mechanism.calls.length, 3)
    },
    { minSyncPeriodMs: 1000 },
  ))

test('syncPeriod compares with the kernel again', () =>
  onStage(
    async ({ mechanism, clock, settle, ...stores }) => {
      stores.services.replace([web])
      stores.slices.replace([])
      await settle()
      clock.advance(30_000)
      await settle()
      clock.advance(30_000)
      await settle()
      assert.equal(mechanism.calls, Array(3).fill('synchronize ns/web'))
    },
    { syncPeriodMs: 30_000 },
  ))

test('a refused transaction leads to a comparison, later each time, whatever happens meanwhile', () =>
  onStage(async ({ mechanism, clock, events, settle, ...stores }) => {
    stores.services.replace([web])
    stores.slices.replace([])
    await settle()
    mechanism.failures = 2
    stores.services.set(api)
    await settle()
    stores.slices.set(slice)
    await settle()
    assert.is(mechanism.calls.length, 2)
    clock.advance(100)
    await settle()
    clock.advance(199)
    await settle()
    assert.is(mechanism.calls.length, 3)
    clock.advance(1)
    await settle()
    assert.equal(mechanism.calls.slice(1), [
      'update ns/api',
      'synchronize ns/api ns/web',
      'synchronize ns/api ns/web',
    ])
    assert.equal(events, ['full', 'refused, again in 100', 'refused, again in 200', 'full'])
  }))

test('drift is repaired at once, and its many notifications are one repair', () =>
  onStage(async ({ mechanism, clock, events, settle, ...stores }) => {
    stores.services.replace([web])
    stores.slices.replace([])
    await settle()
    mechanism.drift('flush chain')
    mechanism.drift('delete rule')
    await settle()
    assert.equal(events, ['full', 'drift: flush chain', 'repair'])
    mechanism.drift('flush chain')
    await settle()
    assert.is(mechanism.calls.length, 2, 'repairs are kept apart')
    clock.advance(50)
    await settle()
    assert.is(mechanism.calls.length, 3)
  }))

test.run()
