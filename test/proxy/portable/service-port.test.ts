import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resourceKey } from '../../../src/kube/resources.ts'
import { Planner } from '../../../src/proxy/plan/planner.ts'
import { type ServicePort, servicePorts } from '../../../src/proxy/portable/service-port.ts'
import { parseCluster, planContext } from '../../support/plan-fixture.ts'

const test = suite('proxy/portable/service-port')

function portsOf(text: string): readonly ServicePort[] {
  const planner = new Planner(planContext())
  const { services, slices } = parseCluster(text)
  for (const service of services) planner.setService(resourceKey(service), service)
  for (const slice of slices) planner.setSlice(resourceKey(slice), slice)
  planner.takeChanges()
  return [...planner.services.values()].flatMap(servicePorts)
}

function backendsOf({ pool }: ServicePort): readonly string[] {
  return (pool?.backends ?? []).map(({ address, port }) => `${address} ${port}`)
}

test('each port of a service is one, whatever other frontends it has', () => {
  const ports = portsOf(`
    service web 10.96.0.10 http:80/TCP/30080 dns:53/UDP type=LoadBalancer lb=198.18.0.1
    slice web-4 of web http:8080/TCP dns:5353/UDP | 10.1.0.4@n1 | 10.1.1.7@n2
  `)
  assert.equal(
    ports.map(({ key, frontend }) => [key, frontend]),
    [
      ['ns/web:http/TCP', '10.96.0.10:80'],
      ['ns/web:dns/UDP', '10.96.0.10:53'],
    ],
  )
  assert.equal(ports.map(backendsOf), [
    ['10.1.0.4 8080', '10.1.1.7 8080'],
    ['10.1.0.4 5353', '10.1.1.7 5353'],
  ])
})

test('of two families the first one counts that has endpoints', () => {
  const service = 'service web 10.96.0.10 fd00:10::10 http:80/TCP'
  const slice = 'slice web-6 of web http:8080/TCP | fd00:1::4@n1'
  assert.equal(portsOf(`${service}\n${slice}`).map(backendsOf), [['fd00:1::4 8080']])
  const [none] = portsOf(service)
  assert.is(none?.frontend, '10.96.0.10:80')
  assert.is(none?.pool, undefined)
})

test('SCTP is left out', () => {
  assert.equal(portsOf('service link 10.96.0.11 s:9/SCTP'), [])
})

test.run()
