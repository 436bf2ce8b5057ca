import { setTimeout as wait } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import type { LabObject, LabService } from '../support/lab-objects.ts'
import { labSuite } from '../support/lab-scene.ts'
import { labAddresses } from '../support/lab-topology.ts'

const sticky = { 4: '10.96.3.1', 6: 'fd00:10:96::301' } as const
const brief = '10.96.3.2'

/** ClientIP affinity of so many seconds. */
const affinity = (timeoutSeconds: number): LabObject => ({
  sessionAffinity: 'ClientIP',
  sessionAffinityConfig: { clientIP: { timeoutSeconds } },
})

function services(pods: LabService['pods']): readonly LabService[] {
  return [
    {
      name: 'sticky',
      clusterIPs: [sticky[4], sticky[6]],
      pods,
      protocols: ['TCP', 'UDP'],
      nodePort: 30_020,
      spec: affinity(600),
    },
    { name: 'brief', clusterIPs: [brief], pods: ['a', 'b', 'c'], spec: affinity(1) },
  ]
}

const { test, run } = labSuite('affinity', services(['a', 'b', 'c']))

/** The one server that answered. */
function only(servers: Readonly<Record<string, number>>): string {
  const names = Object.keys(servers)
  assert.is(names.length, 1, `one server expected, got ${names.join(', ') || 'none'}`)
  return names[0] ?? ''
}

for (const family of [4, 6] as const) {
  for (const protocol of ['TCP', 'UDP'] as const) {
    test(`IPv${family} ${protocol}: one client, one server`, async (scene) => {
      for (const source of ['pod-b', 'pod-c', 'node', 'outside'] as const) {
        const first = await scene.connect(source, sticky[family], { protocol, count: 20 })
        assert.equal(first.failures, {}, source)
        const again = await scene.connect(source, sticky[family], { protocol, count: 10 })
        assert.is(only(again.servers), only(first.servers), source)
      }
    })
  }
}

test('clients differ, so that not all of them have the same server', async (scene) => {
  // 30 clients of three servers: all alike once in a hundred million million times.
  const found = new Set<string>()
  for (let host = 110; host < 140; host++) {
    const from = `192.168.77.${host}`
    scene.lab.run('outside', 'ip', 'address', 'add', `${from}/24`, 'dev', 'br0')
    const { servers } = await scene.connect('outside', sticky[4], { from, count: 2 })
    found.add(only(servers))
  }
  assert.ok(found.size > 1)
})

test('the node port and the cluster address share a client’s server', async (scene) => {
  const cluster = await scene.connect('outside', sticky[4])
  const nodePort = await scene.connect('outside', labAddresses[4].node, { port: 30_020 })
  assert.is(only(nodePort.servers), only(cluster.servers))
})

test('an endpoint that goes takes its clients’ affinity along, others keep theirs', async (scene) => {
  const pods = ['a', 'b', 'c'] as const
  const before = only((await scene.connect('outside', sticky[4])).servers)
  const other = pods.find((pod) => pod !== before)
  await scene.serve(services(pods.filter((pod) => pod !== other)))
  assert.is(only((await scene.connect('outside', sticky[4])).servers), before)
  await scene.serve(services(pods.filter((pod) => pod !== before)))
  const after = only((await scene.connect('outside', sticky[4], { count: 20 })).servers)
  assert.is.not(after, before)
})

test('affinity ends after its time', async (scene) => {
  const first = only((await scene.connect('outside', brief, { count: 3 })).servers)
  // Each time that it has ended a third of the clients are given the same server again.
  for (let tries = 0; tries < 20; tries++) {
    await wait(1_100)
    if (only((await scene.connect('outside', brief, { count: 3 })).servers) !== first) return
  }
  assert.unreachable('the client still has its first server')
})

test('every new connection renews the time', async (scene) => {
  const first = only((await scene.connect('outside', brief, { count: 1 })).servers)
  const until = performance.now() + 2_500
  while (performance.now() < until) {
    assert.is(only((await scene.connect('outside', brief, { count: 1 })).servers), first)
    await wait(50)
  }
})

run()
