import * as assert from 'uvu/assert'
import { assertClientSeen } from '../support/assert-client-seen.ts'
import { flowCount } from '../support/flow-count.ts'
import type { LabService } from '../support/lab-objects.ts'
import { labSuite } from '../support/lab-scene.ts'
import { labAddresses } from '../support/lab-topology.ts'

const addresses = labAddresses[4]
const external = '203.0.113.1'
const farExternal = '203.0.113.2'
const ranged = { 4: '203.0.113.3', 6: 'fd00:203::3' } as const
const plain = { 4: '203.0.113.4', 6: 'fd00:203::4' } as const
const internal = '10.96.1.5'
const farInternal = '10.96.1.6'

const local = { externalTrafficPolicy: 'Local', healthCheckNodePort: 32_001 }

const services: readonly LabService[] = [
  {
    name: 'local',
    clusterIPs: ['10.96.1.1'],
    pods: ['a', 'c'],
    nodePort: 30_001,
    loadBalancerIPs: [external],
    spec: local,
  },
  {
    name: 'local-elsewhere',
    clusterIPs: ['10.96.1.2'],
    pods: ['c'],
    nodePort: 30_002,
    loadBalancerIPs: [farExternal],
    spec: { ...local, healthCheckNodePort: 32_002 },
  },
  {
    name: 'ranged',
    clusterIPs: ['10.96.1.3', 'fd00:10:96::103'],
    pods: ['a'],
    loadBalancerIPs: [ranged[4], ranged[6]],
    spec: {
      loadBalancerSourceRanges: [`${addresses.outside}/32`, `${labAddresses[6].outside}/128`],
    },
  },
  {
    name: 'plain',
    clusterIPs: ['10.96.1.4', 'fd00:10:96::104'],
    pods: ['a', 'c'],
    protocols: ['TCP', 'UDP'],
    nodePort: 30_004,
    loadBalancerIPs: [plain[4], plain[6]],
  },
  {
    name: 'internal',
    clusterIPs: [internal],
    pods: ['a', 'c'],
    spec: { internalTrafficPolicy: 'Local' },
  },
  {
    name: 'internal-elsewhere',
    clusterIPs: [farInternal],
    pods: ['c'],
    spec: { internalTrafficPolicy: 'Local' },
  },
]

const { test, run } = labSuite('traffic policies', services)

/** Enough to miss one of two servers once in a million million times. */
const count = flowCount(40, 8)
const timeoutMs = 300

for (const [what, address, port] of [
  ['an external address', external, 80],
  ['a node port', addresses.node, 30_001],
] as const) {
  test(`${what} of policy Local: from outside to local endpoints, source kept`, async (scene) => {
    for (const [source, own] of [
      ['outside', addresses.outside],
      ['pod-c', addresses.podC],
    ] as const) {
      const answers = await scene.connect(source, address, { port, count })
      assert.equal(answers.servers, { a: count }, source)
      assertClientSeen(scene.mode, answers, own, source)
    }
  })

  test(`${what} of policy Local: pods of the node and the node meet all endpoints`, async (scene) => {
    const pod = await scene.connect('pod-b', address, { port, count })
    assert.equal(Object.keys(pod.servers).sort(), ['a', 'c'])
    assertClientSeen(scene.mode, pod, addresses.podB)
    const node = await scene.connect('node', address, { port, count })
    assert.equal(Object.keys(node.servers).sort(), ['a', 'c'])
  })
}

test('policy Local without a local endpoint drops what comes from outside', async (scene) => {
  const flow = { count: 2, timeoutMs }
  const outside = await scene.connect('outside', farExternal, flow)
  assert.equal(outside.failures, { timeout: 2 })
  const nodePort = await scene.connect('outside', addresses.node, { ...flow, port: 30_002 })
  assert.equal(nodePort.failures, { timeout: 2 })
  const pod = await scene.connect('pod-b', farExternal)
  assert.equal(pod.servers, { c: 10 })
})

test('internalTrafficPolicy Local: only local endpoints, none drops', async (scene) => {
  for (const source of ['pod-b', 'node', 'outside'] as const) {
    const answers = await scene.connect(source, internal, { count: 20 })
    assert.equal(answers.servers, { a: 20 }, source)
  }
  const none = await scene.connect('pod-b', farInternal, { count: 2, timeoutMs })
  assert.equal(none.servers, {})
})

for (const family of [4, 6] as const) {
  const { outsideOther, podGateway, node } = labAddresses[family]

  test(`IPv${family} source ranges: who is in them gets through, others do not`, async (scene) => {
    const allowed = await scene.connect('outside', ranged[family])
    assert.equal(allowed.servers, { a: 10 })
    const flow = { count: 2, timeoutMs }
    const other = await scene.connect('outside', ranged[family], { ...flow, from: outsideOther })
    assert.equal(other.failures, { timeout: 2 })
    const pod = await scene.connect('pod-b', ranged[family], flow)
    assert.equal(pod.failures, { timeout: 2 })
  })

  for (const protocol of ['TCP', 'UDP'] as const) {
    test(`IPv${family} ${protocol} node port and external address of policy Cluster`, async (scene) => {
      for (const source of ['outside', 'node', 'pod-c', 'pod-b'] as const) {
        for (const [address, port] of [
          [node, 30_004],
          [plain[family], 80],
        ] as const) {
          const answers = await scene.connect(source, address, { protocol, port, count })
          const where = `${source} to ${address}:${port}`
          assert.equal(answers.failures, {}, where)
          assert.equal(Object.keys(answers.servers).sort(), ['a', 'c'], where)
          for (const seen of Object.keys(answers.sources)) {
            assert.ok(seen === podGateway || seen === node, `${where} came from ${seen}`)
          }
        }
      }
    })
  }
}

run()
