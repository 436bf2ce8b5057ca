import * as assert from 'uvu/assert'
import { assertClientSeen } from '../support/assert-client-seen.ts'
import { labModes } from '../support/lab-modes.ts'
import { labSuite } from '../support/lab-scene.ts'
import { labAddresses } from '../support/lab-topology.ts'
import { ownRules } from '../support/node-rules.ts'

const addresses = labAddresses[4]
const web = '10.96.6.1'
const services = [{ name: 'web', clusterIPs: [web], pods: ['b'], nodePort: 30_030 }] as const

const interfaces = labSuite('interface detection, chosen node port addresses', services, [
  '--detect-local-mode',
  'InterfaceNamePrefix',
  '--pod-interface-name-prefix',
  'pod-',
  '--nodeport-addresses',
  '192.168.77.0/24,fd00:77::/64',
  '--iptables-masquerade-bit',
  '7',
])

interfaces.test('pods keep their address, others are masqueraded', async (scene) => {
  const pod = await scene.connect('pod-a', web)
  assertClientSeen(scene.mode, pod, addresses.podA)
  for (const source of ['pod-c', 'outside', 'node'] as const) {
    const { sources, failures } = await scene.connect(source, web)
    assert.equal(failures, {}, source)
    assert.equal(sources, { [addresses.podGateway]: 10 }, source)
  }
})

interfaces.test('node ports answer on the chosen addresses only', async (scene) => {
  const chosen = await scene.connect('outside', addresses.node, { port: 30_030 })
  assert.equal(chosen.servers, { b: 10 })
  const other = await scene.connect('pod-a', addresses.podGateway, { port: 30_030, count: 2 })
  assert.equal(other.failures, { ECONNREFUSED: 2 })
})

interfaces.test('the masquerade bit is the one that was asked for', (scene) => {
  // Nothing is marked, and nothing masqueraded, where all flows are the node's.
  if (scene.mode.limits?.hidesClients === true) return Promise.resolve()
  const rules = ownRules(scene.lab)
  assert.match(rules, /0x0*80\b/)
  return Promise.resolve()
})

interfaces.run()

// Where clients are hidden anyway there is nothing to see.
const showing = labModes().filter(({ limits }) => limits?.hidesClients !== true)
const all = labSuite('masquerade all', services, ['--masquerade-all'], showing)

all.test('pods are masqueraded too', async (scene) => {
  for (const source of ['pod-a', 'pod-c', 'outside'] as const) {
    const { sources, failures } = await scene.connect(source, web)
    assert.equal(failures, {}, source)
    assert.equal(sources, { [addresses.podGateway]: 10 }, source)
  }
})

all.run()
