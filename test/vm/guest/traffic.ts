import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { labAddresses } from '../../support/lab-topology.ts'
import { IpvsLab } from './ipvs-lab.ts'

const test = suite('vm/traffic')

const { podA, podB, podC, node: nodeAddress, outside } = labAddresses[4]
const everyPod = [`${podA}@n1`, `${podB}@n1`, `${podC}@n2`].join(' | ')
const everyPodIpv6 = [`${labAddresses[6].podA}@n1`, `${labAddresses[6].podC}@n2`].join(' | ')

const web = '10.96.0.1'
const cluster = `
  service web ${web} fd00:10:96::1 http:80/TCP/30080 dns:80/UDP type=NodePort
  slice web-4 of web http:8080/TCP dns:8080/UDP | ${everyPod}
  slice web-6 of web http:8080/TCP dns:8080/UDP | ${everyPodIpv6}
  service lonely 10.96.0.2 p:80/TCP
  slice lonely-1 of lonely p:8080/TCP | ${podA}@n1
  service sticky 10.96.0.3 p:80/TCP affinity=600
  slice sticky-1 of sticky p:8080/TCP | ${everyPod}
  service local 10.96.0.4 p:80/TCP/30081 type=LoadBalancer lb=203.0.113.1 etp=Local
  slice local-1 of local p:8080/TCP | ${podA}@n1 | ${podC}@n2
  service far 10.96.0.5 p:80/TCP/30082 type=LoadBalancer lb=203.0.113.2 etp=Local
  slice far-1 of far p:8080/TCP | ${podC}@n2
  service guarded 10.96.0.6 p:80/TCP/30083 type=LoadBalancer lb=203.0.113.3 from=192.168.77.102/32
  slice guarded-1 of guarded p:8080/TCP | ${podA}@n1
  service empty 10.96.0.7 p:80/TCP
  service moving 10.96.0.8 p:80/TCP
  slice moving-1 of moving p:8080/TCP | ${podA}@n1 | ${podC}@n2
`

let lab: IpvsLab | undefined
let failure: unknown = new Error('the lab was not opened')
test.before(async () => {
  lab = await IpvsLab.open(cluster).catch((error: unknown) => {
    failure = error
    return undefined
  })
})
test.after(() => lab?.close())

function inLab(name: string, run: (lab: IpvsLab) => Promise<void>): void {
  test(name, async () => {
    if (lab === undefined) throw failure
    await run(lab)
  })
}

const sources = ['pod-b', 'node', 'outside'] as const

for (const source of sources) {
  inLab(`connections from ${source} meet every endpoint`, async (scene) => {
    for (const protocol of ['TCP', 'UDP'] as const) {
      const { servers, failures } = await scene.connect(source, web, { protocol, count: 6 })
      assert.equal(failures, {}, protocol)
      assert.equal(Object.keys(servers).sort(), ['a', 'b', 'c'], protocol)
    }
    const { servers, failures } = await scene.connect(source, 'fd00:10:96::1', { count: 6 })
    assert.equal(failures, {})
    assert.equal(Object.keys(servers).sort(), ['a', 'c'])
  })
}

inLab('a node port meets every endpoint', async (scene) => {
  for (const source of ['outside', 'pod-b'] as const) {
    const { servers, failures } = await scene.connect(source, nodeAddress, { port: 30_080 })
    assert.equal(failures, {}, source)
    assert.equal(Object.keys(servers).sort(), ['a', 'b', 'c'], source)
  }
})

inLab('a pod keeps its address, others and the pod itself come from the node', async (scene) => {
  const ofNode: readonly string[] = [nodeAddress, labAddresses[4].podGateway]
  const neighbour = await scene.connect('pod-b', '10.96.0.2')
  assert.equal(neighbour.sources, { [podB]: 10 })
  for (const source of ['pod-a', 'node', 'outside'] as const) {
    const { sources: seen, failures } = await scene.connect(source, '10.96.0.2')
    assert.equal(failures, {}, source)
    for (const address of Object.keys(seen))
      assert.ok(ofNode.includes(address), `${source} ${address}`)
  }
})

inLab('affinity: one client, one server', async (scene) => {
  for (const source of sources) {
    const { servers, failures } = await scene.connect(source, '10.96.0.3', { count: 6 })
    assert.equal(failures, {}, source)
    assert.is(Object.keys(servers).length, 1, source)
  }
})

inLab(
  'policy Local: outside meets endpoints of this node, pods and the node all',
  async (scene) => {
    for (const [address, port] of [
      ['203.0.113.1', 80],
      [nodeAddress, 30_081],
    ] as const) {
      const fromOutside = await scene.connect('outside', address, { port })
      assert.equal(fromOutside.servers, { a: 10 }, address)
      assert.equal(fromOutside.sources, { [outside]: 10 }, 'the client keeps its address')
      for (const source of ['pod-b', 'node'] as const) {
        const { servers, failures } = await scene.connect(source, address, { port })
        assert.equal(failures, {}, `${source} ${address}`)
        assert.equal(Object.keys(servers).sort(), ['a', 'c'], `${source} ${address}`)
      }
    }
  },
)

inLab('policy Local without endpoints here: outside is dropped, pods are served', async (scene) => {
  const flow = { count: 1, timeoutMs: 500 }
  const fromOutside = await scene.connect('outside', '203.0.113.2', flow)
  assert.equal(fromOutside.failures, { timeout: 1 })
  assert.equal((await scene.connect('pod-b', '203.0.113.2')).servers, { c: 10 })
})

inLab('source ranges admit their sources only', async (scene) => {
  const flow = { count: 1, timeoutMs: 500 }
  const refused = await scene.connect('outside', '203.0.113.3', flow)
  assert.equal(refused.failures, { timeout: 1 })
  const from = labAddresses[4].outsideOther
  assert.equal((await scene.connect('outside', '203.0.113.3', { from })).servers, { a: 10 })
})

inLab('without endpoints, and on other ports, flows are refused at once', async (scene) => {
  for (const source of sources) {
    for (const [address, port] of [
      ['10.96.0.7', 80],
      [web, 81],
    ] as const) {
      const { failures } = await scene.connect(source, address, { port, count: 2 })
      assert.equal(failures, { ECONNREFUSED: 2 }, `${source} ${address}:${port}`)
    }
  }
})

inLab('endpoints are replaced under open connections: none is lost', async (scene) => {
  const client = scene.client('outside')
  const target = { protocol: 'TCP', address: '10.96.0.8', port: 80 } as const
  const opened = await client.ask({ kind: 'hold', held: 'moving', count: 200, ...target })
  assert.equal(opened.failures, {})
  assert.equal(Object.keys(opened.servers).sort(), ['a', 'c'])
  const moving = (pods: string): Promise<unknown> =>
    scene.serve(`slice moving-1 of moving p:8080/TCP | ${pods}`)
  await moving(`${podB}@n1 | ${podC}@n2`)
  const fresh = await scene.connect('outside', '10.96.0.8', { count: 12 })
  assert.equal(Object.keys(fresh.servers).sort(), ['b', 'c'])
  await moving(`${podB}@n1`)
  assert.equal(await scene.restart(), { transactions: 0, operations: 0, bytes: 0 })
  scene.clock.advance(10_000)
  const verified = await client.ask({ kind: 'verify', held: 'moving', timeoutMs: 20_000 })
  assert.equal(verified.failures, {})
  assert.equal(verified.servers, opened.servers)
  assert.match(scene.lab.run('node', 'ipvsadm', '-Sn'), `10.96.0.8:80 -r ${podA}:8080 -m -w 0`)
  await client.ask({ kind: 'release', held: 'moving' })
})

inLab('drained endpoints go after their last connection, or after 15 minutes', async (scene) => {
  const listed = (): string => scene.lab.run('node', 'ipvsadm', '-Sn')
  assert.match(listed(), '-w 0')
  scene.clock.advance(900_000)
  assert.not.match(listed(), '-w 0')
  assert.match(listed(), `10.96.0.8:80 -r ${podB}:8080 -m -w 1`)
})

inLab(
  'connections stay while the last endpoint leaves, and new ones are refused',
  async (scene) => {
    const client = scene.client('outside')
    const target = { protocol: 'TCP', address: '10.96.0.8', port: 80 } as const
    await client.ask({ kind: 'hold', held: 'last', count: 10, ...target })
    await scene.serve('slice moving-1 of moving p:8080/TCP')
    const refused = await scene.connect('outside', '10.96.0.8', { count: 2 })
    assert.equal(refused.failures, { ECONNREFUSED: 2 })
    const verified = await client.ask({ kind: 'verify', held: 'last', timeoutMs: 20_000 })
    assert.equal(verified.servers, { b: 10 })
    await client.ask({ kind: 'release', held: 'last' })
  },
)

inLab('cleanup removes virtual servers, addresses and rules', async (scene) => {
  await scene.cleanup()
  assert.is(scene.lab.run('node', 'ipvsadm', '-Sn').trim(), '')
  assert.is(scene.lab.run('node', 'nft', 'list', 'ruleset').trim(), '')
  assert.not.match(scene.lab.run('node', 'ip', 'addr'), 'kube-ipvs0')
})

test.run()
