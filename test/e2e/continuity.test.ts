import { setTimeout as wait } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { flowCount } from '../support/flow-count.ts'
import type { LabService } from '../support/lab-objects.ts'
import { type LabScene, labSuite } from '../support/lab-scene.ts'

const web = '10.96.4.1'
const datagrams = '10.96.4.2'

function services(
  webPods: LabService['pods'],
  datagramPods: LabService['pods'] = ['a'],
): readonly LabService[] {
  return [
    { name: 'web', clusterIPs: [web], pods: webPods },
    { name: 'datagrams', clusterIPs: [datagrams], pods: datagramPods, protocols: ['UDP'] },
  ]
}

const { test, run } = labSuite('continuity', services(['a', 'c']))

const count = flowCount(1_000, 200)
const timeoutMs = 10_000

/** Opens a thousand connections that stay, and asserts that they all came to a server. */
async function hold(scene: LabScene, held: string): Promise<Readonly<Record<string, number>>> {
  const target = { protocol: 'TCP', address: web, port: 80 } as const
  const opened = await scene.client('outside').ask({ kind: 'hold', held, count, ...target })
  assert.equal(opened.failures, {})
  return opened.servers
}

/** Asserts that every held connection still has the server that it had. */
async function verify(
  scene: LabScene,
  held: string,
  servers: Readonly<Record<string, number>>,
): Promise<void> {
  const now = await scene.client('outside').ask({ kind: 'verify', held, timeoutMs })
  assert.equal(now.failures, {})
  assert.equal(now.servers, servers)
}

async function release(scene: LabScene, held: string): Promise<void> {
  await scene.client('outside').ask({ kind: 'release', held })
}

/** Relays live in the daemon: what is relayed ends at once, new flows are refused until it is back. */
async function assertEndsWithDaemon(scene: LabScene): Promise<void> {
  await hold(scene, 'killed')
  assert.is(await scene.daemon.end('SIGKILL'), 'SIGKILL')
  const ask = { kind: 'verify', held: 'killed', timeoutMs } as const
  assert.equal((await scene.client('outside').ask(ask)).servers, {})
  const meanwhile = await scene.connect('outside', web, { count: 2 })
  assert.equal(meanwhile.failures, { ECONNREFUSED: 2 })
  await scene.startDaemon()
  assert.equal((await scene.connect('outside', web)).failures, {})
  await release(scene, 'killed')
}

test('an endpoint is replaced under 1,000 open connections: none is lost', async (scene) => {
  const servers = await hold(scene, 'replaced')
  assert.equal(Object.keys(servers).sort(), ['a', 'c'])
  await scene.serve(services(['b', 'c']))
  await verify(scene, 'replaced', servers)
  const fresh = await scene.connect('outside', web, { count: 40 })
  assert.equal(Object.keys(fresh.servers).sort(), ['b', 'c'])
  await scene.serve(services(['a', 'b', 'c']))
  await scene.serve(services(['c']))
  await verify(scene, 'replaced', servers)
  await release(scene, 'replaced')
})

test('connections opened while endpoints change all find a server', async (scene) => {
  const opening = hold(scene, 'changing')
  for (let round = 0; round < 10; round++) {
    await scene.serve(services(round % 2 === 0 ? ['a', 'b', 'c'] : ['b', 'c']))
  }
  const servers = await opening
  await verify(scene, 'changing', servers)
  await release(scene, 'changing')
})

test('killed and restarted: no connection is lost and nothing is written', async (scene) => {
  if (scene.mode.limits?.endsWithDaemon === true) return assertEndsWithDaemon(scene)
  const servers = await hold(scene, 'killed')
  const before = scene.mode.stamp(scene.lab)
  assert.is(await scene.daemon.end('SIGKILL'), 'SIGKILL')
  await verify(scene, 'killed', servers)
  assert.ok(Object.keys((await scene.connect('outside', web)).servers).length > 0)
  const restarted = await scene.startDaemon()
  const first = restarted.records.find(({ msg }) => msg === 'synchronised')
  assert.is(first?.transactions, 0)
  assert.is(first?.operations, 0)
  assert.is(scene.mode.stamp(scene.lab), before)
  await verify(scene, 'killed', servers)
  await release(scene, 'killed')
})

test('what changed while the proxy was down is in the kernel after its start', async (scene) => {
  await scene.daemon.end('SIGKILL')
  scene.write(services(['a']))
  await scene.startDaemon()
  assert.equal((await scene.connect('outside', web, { count: 20 })).servers, { a: 20 })
})

test('a UDP flow moves on when its endpoint goes', async (scene) => {
  const client = scene.client('outside')
  const target = { protocol: 'UDP', address: datagrams, port: 80 } as const
  const opened = await client.ask({ kind: 'hold', held: 'udp', count: 20, ...target })
  assert.equal(opened.servers, { a: 20 })
  await scene.serve(services(['a'], ['b']))
  // The kernel's entries are deleted right after the rules are written: the first line may still be early.
  const ask = () => client.ask({ kind: 'verify', held: 'udp', timeoutMs })
  let { servers } = await ask()
  for (let tries = 0; tries < 20 && servers.b !== 20; tries++) {
    await wait(100)
    servers = (await ask()).servers
  }
  assert.equal(servers, { b: 20 })
  await client.ask({ kind: 'release', held: 'udp' })
})

run()
