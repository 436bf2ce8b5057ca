import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-scene.ts'
import { labAddresses } from '../support/lab-topology.ts'
import { podDetection, runPortolan } from '../support/proxy-daemon.ts'
import { userspaceMode } from '../support/userspace-mode.ts'

const lonely = { 4: '10.96.8.1', 6: 'fd00:10:96::801' } as const

const args = [...podDetection, '--userspace-source', 'client']
const { test, run } = labSuite(
  'clients are seen through relays',
  [
    {
      name: 'lonely',
      clusterIPs: [lonely[4], lonely[6]],
      pods: ['a'],
      protocols: ['TCP', 'UDP'],
      nodePort: 30_080,
      spec: { externalTrafficPolicy: 'Local', type: 'NodePort' },
    },
  ],
  args,
  [userspaceMode],
)

for (const family of [4, 6] as const) {
  const { podB, podGateway, node, outside, podC } = labAddresses[family]

  for (const protocol of ['TCP', 'UDP'] as const) {
    test(`IPv${family} ${protocol}: where the plan keeps the client, endpoints see it`, async (scene) => {
      const pod = await scene.connect('pod-b', lonely[family], { protocol })
      assert.equal(pod.failures, {})
      assert.equal(pod.sources, { [podB]: 10 })
      for (const [source, own] of [
        ['outside', outside],
        ['pod-c', podC],
      ] as const) {
        const nodePort = await scene.connect(source, node, { protocol, port: 30_080 })
        assert.equal(nodePort.failures, {}, source)
        assert.equal(nodePort.sources, { [own]: 10 }, source)
      }
    })

    test(`IPv${family} ${protocol}: what the plan masquerades comes from the node`, async (scene) => {
      for (const source of ['outside', 'pod-c', 'node', 'pod-a'] as const) {
        const answers = await scene.connect(source, lonely[family], { protocol })
        assert.equal(answers.failures, {}, source)
        for (const seen of Object.keys(answers.sources)) {
          assert.ok(seen === podGateway || seen === node, `${source} came from ${seen}`)
        }
      }
    })
  }
}

test('the path of the answers goes with the clean-up', async (scene) => {
  const rules = () =>
    scene.lab.run('node', 'ip', 'rule') + scene.lab.run('node', 'ip', '-6', 'rule')
  assert.match(rules(), /fwmark 0x1000\/0x1000 lookup 28783/)
  await scene.daemon.end('SIGTERM')
  runPortolan(scene.lab, 'proxy', '--cleanup', ...userspaceMode.options)
  assert.not.match(rules(), /28783/)
  for (const family of ['-4', '-6']) {
    const routes = scene.lab.run('node', 'ip', family, 'route', 'show', 'table', 'all')
    assert.not.match(routes, /table 28783/)
  }
})

run()
