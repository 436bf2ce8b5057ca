import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NftablesConnection } from '../../../src/netlink/nftables/connection.ts'
import { FamilyProgram } from '../../../src/proxy/iptables/family-program.ts'
import { openIptablesMechanism } from '../../../src/proxy/iptables/iptables-mechanism.ts'
import { isInPlace } from '../../../src/proxy/iptables/is-in-place.ts'
import type { NodePlan } from '../../../src/proxy/plan/plan.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { needsRoot } from '../../support/needs-root.ts'
import { planContext, prefix } from '../../support/plan-fixture.ts'
import { clusterOf, everyKind } from './iptables-fixture.ts'

const test = suite('proxy/iptables/is-in-place')
const root = needsRoot(test, ['ip', 'unshare', 'iptables-nft', 'ip6tables-nft'])

/** Every kind of rule: both detectors, both forms of node-port addresses. */
const nodes: readonly Partial<NodePlan>[] = [
  { serviceRanges: [prefix('10.96.0.0/15'), prefix('fd00:10::/47')] },
  {
    podDetector: { kind: 'interface', name: 'veth', match: 'prefix' },
    nodePortAddresses: ['192.168.0.1', 'fd00:50::1'],
  },
]

/** Writes a program of every kind of service, then runs `body` with a look at one family. */
async function withRules(
  node: Partial<NodePlan>,
  body: (look: (family: 4 | 6) => boolean) => void,
): Promise<void> {
  await inFreshNamespace(async () => {
    execFileSync('iptables-nft', ['-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT'])
    const { plan } = clusterOf(everyKind, planContext(node))
    const mechanism = await openIptablesMechanism('netlink')
    await mechanism.synchronize(plan)
    mechanism.close()
    const connection = NftablesConnection.open()
    try {
      body((family) => {
        const program = new FamilyProgram(family, plan.node)
        program.load(plan.services.values())
        return isInPlace(connection, program, plan.services)
      })
    } finally {
      connection.close()
    }
  })
}

for (const node of nodes) {
  root(`what was written is recognised without a program: ${JSON.stringify(node)}`, () =>
    withRules(node, (look) => {
      // Counters and rules of others are not compared.
      execFileSync('iptables-nft', ['-t', 'nat', '-I', 'OUTPUT', '-p', 'udp', '-j', 'ACCEPT'])
      assert.is(look(4), true)
      assert.is(look(6), true)
    }),
  )
}

const changes: readonly (readonly [string, readonly string[]])[] = [
  ['a rule more', ['-t', 'nat', '-A', 'KUBE-MARK-MASQ', '-j', 'RETURN']],
  ['a rule less', ['-t', 'nat', '-D', 'KUBE-MARK-MASQ', '1']],
  ['a chain more', ['-N', 'KUBE-SVC-X']],
  ['a jump less', ['-t', 'nat', '-F', 'PREROUTING']],
  ['a jump to us more', ['-t', 'nat', '-A', 'INPUT', '-j', 'KUBE-MARK-MASQ']],
  ['another mark', ['-t', 'nat', '-R', 'KUBE-MARK-MASQ', '1', '-j', 'MARK', '--or-mark', '0x8000']],
]
for (const [title, command] of changes) {
  root(`${title} is noticed`, () =>
    withRules(nodes[0] ?? {}, (look) => {
      execFileSync('ip6tables-nft', command)
      assert.is(look(4), true)
      assert.is(look(6), false)
    }),
  )
}

test.run()
