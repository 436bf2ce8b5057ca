import * as assert from 'uvu/assert'
import { assertClientSeen } from '../support/assert-client-seen.ts'
import { flowCount } from '../support/flow-count.ts'
import { labSuite } from '../support/lab-scene.ts'
import { labAddresses } from '../support/lab-topology.ts'

const cluster = { 4: '10.96.0.1', 6: 'fd00:10:96::1' } as const
const lonely = { 4: '10.96.0.2', 6: 'fd00:10:96::2' } as const

const { test, run } = labSuite('balance', [
  {
    name: 'web',
    clusterIPs: [cluster[4], cluster[6]],
    pods: ['a', 'b', 'c'],
    protocols: ['TCP', 'UDP', 'SCTP'],
  },
  { name: 'lonely', clusterIPs: [lonely[4], lonely[6]], pods: ['a'] },
])

/** So many flows miss one of three servers once in ten thousand million times. */
const count = flowCount(60, 9)
const families = [4, 6] as const

for (const family of families) {
  const addresses = labAddresses[family]
  const nodeAddresses: readonly string[] = [addresses.node, addresses.podGateway]

  for (const protocol of ['TCP', 'UDP', 'SCTP'] as const) {
    for (const source of ['pod-b', 'pod-c', 'node', 'outside'] as const) {
      test(`IPv${family} ${protocol} from ${source} meets every endpoint`, async (scene) => {
        if (protocol === 'SCTP' && scene.mode.limits?.refusesSctp === true) {
          const { failures } = await scene.connect(source, cluster[family], { protocol, count: 1 })
          // From the node itself the output hook refuses the sending.
          assert.equal(failures, { [source === 'node' ? 'EPERM' : 'ECONNREFUSED']: 1 })
          return
        }
        const answers = await scene.connect(source, cluster[family], { protocol, count })
        assert.equal(answers.failures, {})
        assert.equal(Object.keys(answers.servers).sort(), ['a', 'b', 'c'])
      })
    }
  }

  test(`IPv${family}: a pod of the node keeps its address, others come from the node`, async (scene) => {
    const pod = await scene.connect('pod-a', lonely[family])
    assert.equal(Object.keys(pod.sources), [addresses.podGateway], 'to itself: from the node')
    const neighbour = await scene.connect('pod-b', lonely[family])
    assertClientSeen(scene.mode, neighbour, addresses.podB)
    for (const source of ['pod-c', 'node', 'outside'] as const) {
      const { sources, failures } = await scene.connect(source, lonely[family])
      assert.equal(failures, {})
      for (const address of Object.keys(sources)) {
        assert.ok(nodeAddresses.includes(address), `${source} came from ${address}`)
      }
    }
  })
}

run()
