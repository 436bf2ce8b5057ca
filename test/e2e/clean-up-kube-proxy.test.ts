import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inNamespace } from '../support/in-namespace.ts'
import { createSet, hasSet } from '../support/ip-sets.ts'
import { kubeProxyIptables, kubeProxyNftables } from '../support/kube-proxy-rules.ts'
import { needsRoot } from '../support/needs-root.ts'
import { NetworkLab } from '../support/network-lab.ts'
import { saveText } from '../support/node-rules.ts'
import { runPortolan } from '../support/proxy-daemon.ts'

const suites = suite('clean up kube-proxy')
const test = needsRoot(suites, ['ip', 'nft', 'iptables-nft', 'iptables-legacy'])

/** Rules of the kubelet, of a firewall and of another program, in every table that kube-proxy writes. */
const others = `*mangle
:KUBE-KUBELET-CANARY - [0:0]
:KUBE-IPTABLES-HINT - [0:0]
COMMIT
*filter
:INPUT ACCEPT [7:420]
:KUBE-FIREWALL - [0:0]
:SOMEBODY - [0:0]
-A INPUT -j KUBE-FIREWALL
-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "before KUBE-SERVICES" -j SOMEBODY
-A SOMEBODY -m limit --limit 5/min -j LOG --log-prefix "-j KUBE-FORWARD "
COMMIT
*nat
:KUBE-KUBELET-CANARY - [0:0]
:SOMEBODY - [0:0]
-A PREROUTING -p udp -m udp --dport 53 -j SOMEBODY
-A SOMEBODY -j RETURN
COMMIT
`

/** Everything in the packet filters, as the system's tools print it. */
function dump(lab: NetworkLab): string {
  const saved = (['nft', 'legacy'] as const).flatMap((infix) =>
    ([4, 6] as const).map((family) => saveText(lab, infix, family)),
  )
  return [...saved, lab.run('node', 'nft', 'list', 'table', 'inet', 'foreign')].join('\n')
}

function writeOthers(lab: NetworkLab): void {
  for (const program of ['iptables', 'ip6tables']) {
    for (const infix of ['nft', 'legacy']) {
      const script = `${program}-${infix}-restore --noflush <<'END'\n${others}END\n`
      lab.run('node', 'sh', '-c', script)
    }
  }
  lab.run('node', 'nft', 'add table inet foreign; add chain inet foreign kube-proxy')
}

async function inLab(body: (lab: NetworkLab) => Promise<void> | void): Promise<void> {
  const lab = NetworkLab.open()
  try {
    await body(lab)
  } finally {
    lab.close()
  }
}

test('what kube-proxy left goes, in every mode; what others have stays byte for byte', () =>
  inLab((lab) => {
    const inNode = <T>(body: () => T): T => inNamespace(lab.path('node'), body)
    writeOthers(lab)
    const before = dump(lab)
    const hasSets = inNode(() => createSet('KUBE-CLUSTER-IP') && createSet('SOMEBODY'))
    kubeProxyIptables('nft').install(lab)
    kubeProxyIptables('legacy').install(lab)
    kubeProxyNftables.install(lab)
    assert.is.not(dump(lab), before)
    const said = runPortolan(lab, 'proxy', '--cleanup-kube-proxy')
    assert.match(
      said,
      hasSets ? /^removed 2 tables, \d+ chains, 1 sets / : /^removed 2 tables, \d+ c/,
    )
    assert.is(dump(lab), before)
    assert.not.match(lab.run('node', 'nft', 'list', 'tables'), /table ip6? kube-proxy/)
    assert.is(
      inNode(() => hasSet('SOMEBODY')),
      hasSets,
    )
    const again = runPortolan(lab, 'proxy', '--cleanup-kube-proxy')
    assert.is(again, 'nothing of kube-proxy was there\n')
  }))

test('while a kube-proxy runs it refuses, and says which process that is', () =>
  inLab(async (lab) => {
    const running = spawn('sleep', ['60'], { argv0: 'kube-proxy' })
    try {
      await once(running, 'spawn')
      kubeProxyNftables.install(lab)
      assert.throws(
        () => runPortolan(lab, 'proxy', '--cleanup-kube-proxy'),
        new RegExp(`kube-proxy is running \\(process .*${running.pid}.*end it first`),
      )
      assert.match(lab.run('node', 'nft', 'list', 'tables'), 'table ip kube-proxy')
    } finally {
      running.kill()
      await once(running, 'exit')
    }
  }))

suites.run()
