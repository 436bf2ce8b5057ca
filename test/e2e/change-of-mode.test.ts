import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as assert from 'uvu/assert'
import { IpvsConnection } from '../../src/ipvs/ipvs-connection.ts'
import { type LabScene, labSuite } from '../support/lab-scene.ts'
import { labAddresses } from '../support/lab-topology.ts'
import { nftablesMode } from '../support/nftables-mode.ts'

type Mode = 'nftables' | 'iptables' | 'ipvs'

const web = '10.96.6.1'
const folder = mkdtempSync(`${tmpdir()}/portolan-mode-`)
const file = `${folder}/config.yaml`
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** Another configuration, there all at once as an editor or the kubelet puts it there. */
function configure(mode: Mode, more = ''): void {
  const { nodePods: v4 } = labAddresses[4]
  const { nodePods: v6 } = labAddresses[6]
  const text = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: ${mode}
detectLocalMode: ClusterCIDR
clusterCIDR: ${v4},${v6}
${more}`
  writeFileSync(`${folder}/new`, text)
  renameSync(`${folder}/new`, file)
}

const services = [{ name: 'web', clusterIPs: [web], pods: ['a', 'b'] }] as const

configure('nftables')
const { test, run } = labSuite('change of mode', services, ['--config', file], [nftablesMode])

/** Changes the mode and waits until the change is complete. */
async function change(scene: LabScene, mode: Mode): Promise<void> {
  const after = scene.daemon.records.length
  configure(mode)
  const taken = await scene.daemon.logged(({ msg }) => msg === 'took over the configuration', after)
  assert.is(taken.mode, mode)
}

/** What is ours in the kernel, by mode. */
function present(scene: LabScene): readonly Mode[] {
  const tables = scene.lab.run('node', 'nft', 'list', 'tables')
  const rules = scene.lab.run('node', 'iptables-save') + scene.lab.run('node', 'ip6tables-save')
  const modes: Mode[] = []
  if (/^table ip6? portolan$/m.test(tables)) modes.push('nftables')
  if (/KUBE-/.test(rules)) modes.push('iptables')
  return modes
}

async function answered(scene: LabScene): Promise<void> {
  for (const source of ['outside', 'pod-a', 'node'] as const) {
    assert.equal((await scene.connect(source, web)).failures, {}, source)
  }
}

function hasIpvs(): boolean {
  try {
    IpvsConnection.open().close()
    return true
  } catch {
    return false
  }
}

const count = 1_000

test('1,000 open connections survive every change, and new ones are served', async (scene) => {
  const client = scene.client('outside')
  const target = { protocol: 'TCP', address: web, port: 80 } as const
  const opened = await client.ask({ kind: 'hold', held: 'all', count, ...target })
  assert.equal(opened.failures, {})
  for (const mode of ['iptables', 'nftables', 'iptables'] as const) {
    await change(scene, mode)
    assert.equal(present(scene), [mode])
    await answered(scene)
    const now = await client.ask({ kind: 'verify', held: 'all', timeoutMs: 10_000 })
    assert.equal(now.failures, {}, `open connections after the change to ${mode}`)
    assert.equal(now.servers, opened.servers)
  }
  await client.ask({ kind: 'release', held: 'all' })
})

test('connections opened during changes all find a server', async (scene) => {
  const client = scene.client('outside')
  const target = { protocol: 'TCP', address: web, port: 80 } as const
  for (const mode of ['nftables', 'iptables', 'nftables'] as const) {
    const held = `during ${mode}`
    const opening = client.ask({ kind: 'hold', held, count, ...target })
    await change(scene, mode)
    assert.equal((await opening).failures, {})
    await client.ask({ kind: 'release', held })
  }
})

test('changes of the cluster reach the new mode', async (scene) => {
  await change(scene, 'iptables')
  await scene.serve([{ name: 'web', clusterIPs: [web], pods: ['c'] }])
  assert.equal((await scene.connect('outside', web)).servers, { c: 10 })
  await scene.serve(services)
})

test('a wrong configuration is named and changes nothing', async (scene) => {
  const before = present(scene)
  const after = scene.daemon.records.length
  configure('iptables', 'modus: x\n')
  const { reason } = await scene.daemon.logged(
    ({ msg }) => msg?.startsWith('the new configuration is not used') === true,
    after,
  )
  assert.match(String(reason), /modus/)
  assert.equal(present(scene), before)
  await answered(scene)
})

test('a mode that this kernel cannot do changes nothing', async (scene) => {
  if (hasIpvs()) return
  const before = present(scene)
  const after = scene.daemon.records.length
  configure('ipvs')
  const { reason } = await scene.daemon.logged(
    ({ msg }) => msg?.startsWith('the new configuration is not used') === true,
    after,
  )
  assert.match(String(reason), /--proxy-mode ipvs: .*ip_vs.*works here: nftables, iptables/)
  assert.equal(present(scene), before)
  await answered(scene)
})

test('a configuration that says the same writes nothing; SIGHUP reads it too', async (scene) => {
  configure('nftables')
  await scene.daemon.logged(
    ({ msg, mode }) => msg === 'took over the configuration' && mode === 'nftables',
  )
  const after = scene.daemon.records.length
  process.kill(scene.daemon.pid, 'SIGHUP')
  await scene.daemon.logged(({ msg }) => msg === 'the configuration has not changed', after)
})

test('started in another mode, the proxy removes what the mode before wrote', async (scene) => {
  await change(scene, 'iptables')
  await scene.daemon.end('SIGKILL')
  configure('nftables')
  const daemon = await scene.startDaemon(['--config', file])
  await daemon.logged(({ msg }) => msg === 'removed what the other mode had written')
  assert.equal(present(scene), ['nftables'])
  await answered(scene)
})

run()
