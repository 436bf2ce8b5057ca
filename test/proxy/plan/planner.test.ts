import process from 'node:process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resourceKey, type Service } from '../../../src/kube/resources.ts'
import type { PlanChange, ServicePlan } from '../../../src/proxy/plan/plan.ts'
import { plansEqual } from '../../../src/proxy/plan/plan-equality.ts'
import { Planner } from '../../../src/proxy/plan/planner.ts'
import { applyEvent, type ClusterEvent, clusterEvents, planAll } from '../../support/plan-events.ts'
import { formatPlan, parseCluster, planContext } from '../../support/plan-fixture.ts'

const test = suite('proxy/plan/Planner')

/** SEED repeats a run; RUNS lengthens it. */
const seed = Number(process.env.SEED ?? 20_260_101)
const numRuns = Number(process.env.RUNS ?? 400)
process.stdout.write(`# proxy/plan/Planner: SEED=${seed} RUNS=${numRuns}\n`)

test('any order of events gives the plan that is made from scratch', () => {
  fc.assert(fc.property(clusterEvents, checkEvents), { seed, numRuns })
})

/** Applies events to a planner, with `take` events in between, and follows its changes. */
function checkEvents(events: readonly ClusterEvent[]): void {
  let context = planContext()
  const planner = new Planner(context)
  const services = new Map<string, Service>()
  const slices = new Map()
  const followed = new Map<string, ServicePlan>()
  for (const event of [...events, { kind: 'take' } as const]) {
    if (event.kind === 'identity') {
      context = { ...context, identity: event.identity }
      planner.setIdentity(event.identity)
    } else if (event.kind === 'take') {
      follow(followed, planner.takeChanges())
      const expected = planAll(services, slices, context)
      assert.equal(sorted(planner.services), sorted(expected))
      assert.equal(sorted(followed), sorted(expected))
      assert.equal(planner.takeChanges(), [])
    } else applyEvent(event, planner, services, slices)
  }
}

function follow(followed: Map<string, ServicePlan>, changes: readonly PlanChange[]): void {
  assert.is(new Set(changes.map(({ service }) => service)).size, changes.length)
  for (const { service, before, after } of changes) {
    assert.is(followed.get(service), before)
    assert.not(before !== undefined && after !== undefined && plansEqual(before, after))
    if (after === undefined) followed.delete(service)
    else followed.set(service, after)
  }
}

function sorted(plans: ReadonlyMap<string, ServicePlan>): readonly ServicePlan[] {
  return [...plans.values()].sort((left, right) => (left.service < right.service ? -1 : 1))
}

/** A planner that was given all of a fixture in its order. */
function plannerOf(cluster: string): Planner {
  const planner = new Planner(planContext())
  const { services, slices } = parseCluster(cluster)
  for (const slice of slices) planner.setSlice(resourceKey(slice), slice)
  for (const service of services) planner.setService(resourceKey(service), service)
  return planner
}

function formatChanges(changes: readonly PlanChange[]): string {
  return changes
    .map(({ service, before, after }) => {
      const [was, is] = [before, after].map((plan) => (plan ? `[${formatPlan(plan)}]` : 'nothing'))
      return `${service}: ${was} -> ${is}`
    })
    .join('\n')
}

const conflict = `
  service b 10.96.0.2 http:80/TCP ext=198.18.1.1
  service a 10.96.0.1 http:80/TCP ext=198.18.1.1
  service c 10.96.0.3 http:80/TCP lb=198.18.1.1`

test('a load-balancer address wins over an external one, then the first name; losers follow', () => {
  const planner = plannerOf(conflict)
  planner.takeChanges()
  planner.setService('ns/c', undefined)
  assert.is(
    formatChanges(planner.takeChanges()),
    `ns/c: [cluster-ip 10.96.0.3:80/TCP: * reject
load-balancer 198.18.1.1:80/TCP: * reject] -> nothing
ns/a: [cluster-ip 10.96.0.1:80/TCP: * reject] -> [cluster-ip 10.96.0.1:80/TCP: * reject
external-ip 198.18.1.1:80/TCP: * reject]`,
  )
  planner.setService('ns/a', undefined)
  assert.match(formatChanges(planner.takeChanges()), /ns\/b: .*external-ip 198\.18\.1\.1:80/s)
})

test('an external address cannot take over a cluster address', () => {
  const planner = plannerOf(`
    service a 10.96.0.1 http:80/TCP ext=10.96.0.2
    service b 10.96.0.2 http:80/TCP`)
  planner.takeChanges()
  assert.is(
    [...planner.services.values()].map(formatPlan).join('\n'),
    'cluster-ip 10.96.0.1:80/TCP: * reject\ncluster-ip 10.96.0.2:80/TCP: * reject',
  )
})

test('a service that loses a frontend comes before the one that gets it', () => {
  const planner = plannerOf(`
    service a 10.96.0.1 http:80/TCP/30080
    service b 10.96.0.2 http:80/TCP/30081`)
  planner.takeChanges()
  const { services } = parseCluster(`
    service c 10.96.0.3 http:80/TCP/30080
    service a 10.96.0.1 http:80/TCP/30081
    service b 10.96.0.2 http:80/TCP`)
  for (const service of services) planner.setService(resourceKey(service), service)
  assert.equal(
    planner.takeChanges().map((change) => change.service),
    ['ns/b', 'ns/a', 'ns/c'],
  )
})

test('a winner that changes otherwise leaves the loser alone', () => {
  const planner = plannerOf(conflict)
  planner.takeChanges()
  const [service] = parseCluster(
    'service c 10.96.0.3 http:80/TCP lb=198.18.1.1 from=203.0.113.0/24',
  ).services
  planner.setService('ns/c', service)
  assert.equal(
    planner.takeChanges().map((change) => change.service),
    ['ns/c'],
  )
})

test('services that exchange frontends are both reported', () => {
  const planner = plannerOf(`
    service a 10.96.0.1 http:80/TCP/30080
    service b 10.96.0.2 http:80/TCP/30081`)
  planner.takeChanges()
  const { services } = parseCluster(`
    service a 10.96.0.1 http:80/TCP/30081
    service b 10.96.0.2 http:80/TCP/30080`)
  for (const service of services) planner.setService(resourceKey(service), service)
  assert.is(planner.takeChanges().length, 2)
})

test('a slice that comes before its service and stays after it makes no change by itself', () => {
  const planner = new Planner(planContext())
  const { services, slices } = parseCluster(`
    service web 10.96.0.10 http:80/TCP
    slice s of web http:8080/TCP | 10.1.1.7@n2`)
  planner.setSlice('ns/s', slices[0])
  assert.equal(planner.takeChanges(), [])
  planner.setService('ns/web', services[0])
  assert.is(planner.takeChanges().length, 1)
  planner.setService('ns/web', undefined)
  assert.is(planner.takeChanges().length, 1)
  planner.setService('ns/web', services[0])
  assert.match(formatChanges(planner.takeChanges()), '10.1.1.7:8080')
})

test('a change that comes to nothing is dropped, and the old objects stay', () => {
  const planner = plannerOf(`
    service web 10.96.0.10 http:80/TCP
    slice s of web http:8080/TCP | 10.1.1.7@n2`)
  planner.takeChanges()
  const before = planner.services.get('ns/web')
  const [slice] = parseCluster(
    'slice s of web http:8080/TCP | 10.1.1.7@n2 | 10.1.1.8@n2 unready',
  ).slices
  planner.setSlice('ns/s', slice)
  assert.equal(planner.takeChanges(), [])
  assert.is(planner.services.get('ns/web'), before)
})

test('an equal identity plans nothing anew, another zone does', () => {
  const planner = plannerOf(`
    service web 10.96.0.10 http:80/TCP
    service other 10.96.0.11 http:80/TCP
    slice s of web http:8080/TCP | 10.1.0.4@n1 zones=a | 10.1.1.7@n2 zones=b`)
  planner.takeChanges()
  planner.setIdentity({ ...planContext().identity })
  assert.equal(planner.takeChanges(), [])
  planner.setIdentity({ ...planContext().identity, zone: 'b' })
  assert.is(
    formatChanges(planner.takeChanges()),
    `ns/web: [cluster-ip 10.96.0.10:80/TCP: pod 10.1.0.4:8080; node+outside 10.1.0.4:8080!] -> ` +
      `[cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080; node+outside 10.1.1.7:8080!]`,
  )
})

test.run()
