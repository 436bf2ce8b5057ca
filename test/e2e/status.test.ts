import process from 'node:process'
import * as assert from 'uvu/assert'
import { type LabScene, labSuite } from '../support/lab-scene.ts'
import { mainFile, podDetection } from '../support/proxy-daemon.ts'

const web = '10.96.7.1'
const idle = '10.96.7.2'

const { test, run } = labSuite('status', [
  { name: 'web', clusterIPs: [web], pods: ['a', 'b'] },
  { name: 'idle', clusterIPs: [idle], pods: ['c'] },
])

interface Row {
  readonly frontend: string
  readonly traffic: {
    readonly open: number
    readonly during?: { readonly connections: number; readonly packets: number }
  }
}

/** Runs `portolan status` on the node beside other work, and gives its rows by frontend. */
async function status(scene: LabScene, ...args: readonly string[]): Promise<Map<string, Row>> {
  const words = ['status', '--manifests', scene.folder, '--output', 'json', ...args]
  const text = await scene.lab.output('node', process.execPath, mainFile, ...words, ...podDetection)
  const { frontends } = JSON.parse(text) as { frontends: Row[] }
  return new Map(frontends.map((row) => [row.frontend, row]))
}

test('open connections are counted by frontend', async (scene) => {
  const target = { protocol: 'TCP', address: web, port: 80 } as const
  const client = scene.client('outside')
  await client.ask({ kind: 'hold', held: 'open', count: 25, ...target })
  const rows = await status(scene, '--counters')
  assert.is(rows.get(`${web}:80`)?.traffic.open, 25)
  assert.is(rows.get(`${idle}:80`)?.traffic.open, 0)
  await client.ask({ kind: 'release', held: 'open' })
})

test('traffic is counted while the command looks, and its table is gone then', async (scene) => {
  const looking = status(scene, '--traffic', '3')
  const tables = () => scene.lab.run('node', 'nft', 'list', 'tables')
  while (!tables().includes('portolan-traffic')) await new Promise((go) => setTimeout(go, 20))
  assert.equal((await scene.connect('outside', web, { count: 30 })).failures, {})
  const rows = await looking
  const during = rows.get(`${web}:80`)?.traffic.during
  assert.is(during?.connections, 30)
  assert.ok((during?.packets ?? 0) >= 120)
  assert.is(rows.get(`${idle}:80`)?.traffic.during?.packets, 0)
  assert.not.match(tables(), 'portolan-traffic')
})

run()
