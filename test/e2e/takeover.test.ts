import * as assert from 'uvu/assert'
import { flowCount } from '../support/flow-count.ts'
import {
  type KubeProxyRules,
  kubeProxyIptables,
  kubeProxyNftables,
  takenService,
} from '../support/kube-proxy-rules.ts'
import type { LabMode } from '../support/lab-mode.ts'
import { labModes } from '../support/lab-modes.ts'
import { LabScene, sceneSuite } from '../support/lab-scene.ts'
import type { LabNamespace } from '../support/lab-topology.ts'
import { allRules, ownRules } from '../support/node-rules.ts'
import { runPortolan } from '../support/proxy-daemon.ts'

const [address] = takenService.clusterIPs
const count = flowCount(300, 100)

/** Opens connections that stay; all of them must come to a server. */
async function hold(scene: LabScene, from: LabNamespace, held: string): Promise<void> {
  const target = { protocol: 'TCP', address, port: 80 } as const
  const opened = await scene.client(from).ask({ kind: 'hold', held, count, ...target })
  assert.equal(opened.failures, {}, held)
  assert.equal(Object.keys(opened.servers).sort(), ['a', 'c'], held)
}

/** Asserts that every held connection still answers, and that new ones are opened, in both families. */
async function assertServed(scene: LabScene, ...held: readonly [LabNamespace, string][]) {
  for (const [from, name] of held) {
    const verified = await scene.client(from).ask({ kind: 'verify', held: name, timeoutMs: 10_000 })
    assert.equal(verified.failures, {}, name)
    const { a = 0, c = 0 } = verified.servers
    assert.is(a + c, count, name)
  }
  for (const clusterIP of takenService.clusterIPs) {
    assert.equal((await scene.connect('outside', clusterIP)).failures, {})
  }
}

/** One way to and fro between kube-proxy and a mode of ours. */
function testTakeover(mode: LabMode, original: KubeProxyRules): void {
  const isInPlace = mode.options.includes('iptables') && original !== kubeProxyNftables
  let originalRules = ''
  const title = `${original.title}, ${mode.title} mode`
  const { test, run } = sceneSuite(title, mode.hindrance(), async () => {
    const scene = await LabScene.openIdle({ mode, services: [takenService] })
    original.install(scene.lab)
    originalRules = allRules(scene.lab)
    return scene
  })

  test('we come: no connection through the rules of kube-proxy is lost', async (scene) => {
    await hold(scene, 'outside', 'before')
    const opening = hold(scene, 'pod-b', 'meanwhile')
    await scene.startDaemon()
    await opening
    await assertServed(scene, ['outside', 'before'], ['pod-b', 'meanwhile'])
  })

  test('the rules of kube-proxy go: no connection is lost', async (scene) => {
    if (!isInPlace) runPortolan(scene.lab, 'proxy', '--cleanup-kube-proxy')
    const rules = allRules(scene.lab)
    assert.not.match(rules, /KUBE-SEP|kube-proxy\b/)
    await assertServed(scene, ['outside', 'before'], ['pod-b', 'meanwhile'])
  })

  test('kube-proxy comes back and we go: no connection is lost, nothing of ours stays', async (scene) => {
    await hold(scene, 'outside', 'ours')
    // Two that write the same chains would repair each other's.
    if (isInPlace) await scene.daemon.end('SIGTERM')
    original.install(scene.lab)
    const opening = hold(scene, 'pod-b', 'going')
    if (!isInPlace) await scene.daemon.end('SIGTERM')
    runPortolan(scene.lab, 'proxy', '--cleanup', ...mode.options)
    await opening
    assert.is(allRules(scene.lab), originalRules)
    await assertServed(
      scene,
      ['outside', 'before'],
      ['pod-b', 'meanwhile'],
      ['outside', 'ours'],
      ['pod-b', 'going'],
    )
  })

  test('kube-proxy is gone for good: its rules are removed on request', (scene) => {
    runPortolan(scene.lab, 'proxy', '--cleanup-kube-proxy')
    assert.is(ownRules(scene.lab), '')
    assert.is(allRules(scene.lab).includes('kube-proxy'), false)
    return Promise.resolve()
  })

  run()
}

// What is relayed ends with its daemon: there is nothing to hand over.
for (const mode of labModes().filter(({ limits }) => limits?.endsWithDaemon !== true)) {
  for (const original of [kubeProxyIptables(mode.iptables), kubeProxyNftables]) {
    testTakeover(mode, original)
  }
}
