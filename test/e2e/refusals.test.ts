import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-scene.ts'
import { labAddresses } from '../support/lab-topology.ts'

const empty = { 4: '10.96.2.1', 6: 'fd00:10:96::201' } as const
const web = { 4: '10.96.2.2', 6: 'fd00:10:96::202' } as const

const { test, run } = labSuite('refusals', [
  {
    name: 'empty',
    clusterIPs: [empty[4], empty[6]],
    pods: [],
    protocols: ['TCP', 'UDP'],
    nodePort: 30_010,
  },
  { name: 'web', clusterIPs: [web[4], web[6]], pods: ['a'], protocols: ['TCP', 'UDP'] },
])

const sources = ['pod-b', 'pod-c', 'node', 'outside'] as const

/** A local UDP sender gets EPERM from the output hook, everybody else an ICMP error. */
function refusal(source: (typeof sources)[number], protocol: 'TCP' | 'UDP'): string {
  return source === 'node' && protocol === 'UDP' ? 'EPERM' : 'ECONNREFUSED'
}

for (const family of [4, 6] as const) {
  for (const protocol of ['TCP', 'UDP'] as const) {
    test(`IPv${family} ${protocol}: a service without endpoints refuses at once`, async (scene) => {
      for (const source of sources) {
        const { failures } = await scene.connect(source, empty[family], { protocol, count: 3 })
        assert.equal(failures, { [refusal(source, protocol)]: 3 }, source)
      }
    })

    test(`IPv${family} ${protocol}: other ports of a cluster address refuse`, async (scene) => {
      for (const source of sources) {
        const flow = { protocol, port: 81, count: 3 }
        const { failures } = await scene.connect(source, web[family], flow)
        assert.equal(failures, { [refusal(source, protocol)]: 3 }, source)
      }
    })
  }

  test(`IPv${family}: a node port without endpoints refuses`, async (scene) => {
    const { node } = labAddresses[family]
    const { failures } = await scene.connect('outside', node, { port: 30_010, count: 3 })
    assert.equal(failures, { ECONNREFUSED: 3 })
  })

  test(`IPv${family}: an echo request to a cluster address is answered unreachable`, async (scene) => {
    for (const source of ['outside', 'pod-b', 'pod-c'] as const) {
      const request = { kind: 'ping', address: web[family], timeoutMs: 2_000 } as const
      const { failures } = await scene.client(source).ask(request)
      assert.equal(failures, { 'port-unreachable': 1 }, source)
    }
  })
}

test('what a refused client asks again is served as soon as there is an endpoint', async (scene) => {
  const before = await scene.connect('outside', empty[4], { count: 1 })
  assert.equal(before.failures, { ECONNREFUSED: 1 })
  const { 4: v4, 6: v6 } = empty
  await scene.serve([
    {
      name: 'empty',
      clusterIPs: [v4, v6],
      pods: ['b'],
      protocols: ['TCP', 'UDP'],
      nodePort: 30_010,
    },
  ])
  const after = await scene.connect('outside', empty[4], { count: 5 })
  assert.equal(after.servers, { b: 5 })
})

run()
