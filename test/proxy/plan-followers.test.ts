import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EndpointSlice } from '../../src/kube/resources.ts'
import { resourceKey } from '../../src/kube/resources.ts'
import { Store } from '../../src/kube/store.ts'
import { countNoLocalEndpoints } from '../../src/proxy/count-no-local-endpoints.ts'
import { followPlan } from '../../src/proxy/follow-plan.ts'
import { measureProgramming } from '../../src/proxy/measure-programming.ts'
import type { PlanChange, ServicePlan } from '../../src/proxy/plan/plan.ts'
import { Planner } from '../../src/proxy/plan/planner.ts'
import type { Mechanism, SyncReport } from '../../src/proxy/port/mechanism.ts'
import { parseCluster, planContext } from '../support/plan-fixture.ts'

const test = suite('proxy: who follows the applied plan')

/** The plan of one service. */
function planOf(text: string): ServicePlan {
  const planner = new Planner(planContext())
  const { services, slices } = parseCluster(text)
  for (const service of services) planner.setService(resourceKey(service), service)
  for (const slice of slices) planner.setSlice(resourceKey(slice), slice)
  planner.takeChanges()
  const [plan] = planner.services.values()
  if (plan === undefined) throw new Error('fixture: no plan')
  return plan
}

const withoutLocal = planOf(`
  service web 10.96.0.10 http:80/TCP/30080 type=NodePort itp=Local etp=Local
  slice web-1 of web http:8080/TCP | 10.1.1.7@n2`)
const withLocal = planOf(`
  service web 10.96.0.10 http:80/TCP/30080 type=NodePort itp=Local etp=Local
  slice web-1 of web http:8080/TCP | 10.1.0.4@n1`)

test('service ports without a local endpoint are counted once each, incrementally', () => {
  const told: unknown[] = []
  const counter = countNoLocalEndpoints((family, counts) => {
    if (family === 4) told.push({ ...counts })
  })
  counter.replaced(new Map([['ns/web', withoutLocal]]))
  counter.changed([{ service: 'ns/web', before: withoutLocal, after: withLocal }])
  counter.changed([{ service: 'ns/other', before: undefined, after: withoutLocal }])
  counter.changed([{ service: 'ns/other', before: withoutLocal, after: undefined }])
  assert.equal(told, [
    { internal: 1, external: 1 },
    { internal: 0, external: 0 },
    { internal: 1, external: 1 },
    { internal: 0, external: 0 },
  ])
})

test('programming is measured from the noted time, for changes after the start only', () => {
  const slices = new Store<EndpointSlice>()
  const measured: number[] = []
  let nowMs = Date.parse('2026-01-02T12:00:00Z')
  const abort = new AbortController()
  const programming = measureProgramming(
    slices,
    () => nowMs,
    (seconds) => measured.push(seconds),
    abort.signal,
  )
  const [slice] = parseCluster('slice web-1 of web http:8080/TCP | 10.1.0.4@n1').slices
  const at = (time: string, resourceVersion: string) => {
    const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': time }
    if (slice !== undefined) slices.set({ ...slice, annotations, resourceVersion })
  }
  at('2026-01-02T11:59:59Z', '1')
  programming.finish()
  at('2026-01-02T12:00:01Z', '2')
  at('2026-01-02T12:00:01Z', '3')
  at('no time', '4')
  nowMs += 1_500
  programming.finish()
  programming.finish()
  abort.abort()
  at('2026-01-02T12:00:09Z', '5')
  programming.finish()
  assert.equal(measured, [0.5])
})

test('followers are told after the kernel accepted, and not when it refused', async () => {
  const told: string[] = []
  let isRefusing = false
  const report: SyncReport = { transactions: 1, operations: 1, bytes: 1 }
  const answer = async (): Promise<SyncReport> => {
    if (isRefusing) throw new Error('refused')
    return report
  }
  const inner: Pick<Mechanism, 'name' | 'synchronize' | 'update'> = {
    name: 'fake',
    synchronize: answer,
    update: answer,
  }
  const mechanism = followPlan(inner as Mechanism, {
    replaced: (services) => told.push(`replaced ${services.size}`),
    changed: (changes) => told.push(`changed ${changes.length}`),
  })
  const change: PlanChange = { service: 'ns/web', before: undefined, after: withLocal }
  const plan = { node: planContext().node, services: new Map([['ns/web', withLocal]]) }
  await mechanism.synchronize(plan)
  await mechanism.update([change])
  isRefusing = true
  await mechanism.update([change]).catch(() => told.push('refused'))
  await mechanism.synchronize(plan).catch(() => told.push('refused'))
  assert.equal(told, ['replaced 1', 'changed 1', 'refused', 'refused'])
})

test.run()
