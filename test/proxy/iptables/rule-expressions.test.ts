import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NftablesConnection } from '../../../src/netlink/nftables/connection.ts'
import type { Expression } from '../../../src/netlink/nftables/expressions.ts'
import { normalizeExpression } from '../../../src/netlink/nftables/normalize-expression.ts'
import { FamilyProgram } from '../../../src/proxy/iptables/family-program.ts'
import { formatProgram } from '../../../src/proxy/iptables/format-program.ts'
import { openIptablesMechanism } from '../../../src/proxy/iptables/iptables-mechanism.ts'
import { type FilledChain, tableNames } from '../../../src/proxy/iptables/rule.ts'
import { kernelRule } from '../../../src/proxy/iptables/rule-expressions.ts'
import type { NodePlan } from '../../../src/proxy/plan/plan.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { needsRoot } from '../../support/needs-root.ts'
import { planContext, prefix } from '../../support/plan-fixture.ts'
import { clusterOf, everyKind } from './iptables-fixture.ts'

const test = suite('proxy/iptables/rule-expressions')
const root = needsRoot(test, ['ip', 'unshare', 'iptables-nft-save', 'iptables-nft-restore'])

const programs = ['iptables-nft', 'ip6tables-nft']

/** Every kind of rule in one program: both detectors, both forms of node-port addresses. */
const nodes: readonly Partial<NodePlan>[] = [
  { serviceRanges: [prefix('10.96.0.0/15'), prefix('fd00:10::/47')] },
  {
    podDetector: { kind: 'interface', name: 'veth', match: 'prefix' },
    nodePortAddresses: ['192.168.0.1', 'fd00:50::1'],
  },
  { podDetector: { kind: 'interface', name: 'cni0', match: 'exact' }, masqueradeAll: true },
]

function describe(expressions: readonly Expression[]): unknown {
  const plain = (_: string, value: unknown): unknown =>
    value instanceof Uint8Array ? Buffer.from(Uint8Array.from(value)).toString('hex') : value
  return expressions.map((each) => JSON.parse(JSON.stringify(normalizeExpression(each), plain)))
}

/** iptables-restore of these versions keeps comments as a match; here they are user data. */
function withoutComment(expressions: readonly Expression[]): readonly Expression[] {
  return expressions.filter(
    ({ name, data }) => !(name === 'match' && 'name' in data && data.name === 'comment'),
  )
}

for (const node of nodes) {
  for (const family of [4, 6] as const) {
    root(
      `IPv${family}, ${JSON.stringify(node)}: the expressions are those of iptables-restore`,
      () =>
        inFreshNamespace(() => {
          const { plan } = clusterOf(everyKind, planContext(node))
          const program = new FamilyProgram(family, plan.node)
          program.load(plan.services.values())
          const input = formatProgram(family, plan.node, plan.services)
          execFileSync(`ip${family === 4 ? '' : '6'}tables-nft-restore`, { input })
          const connection = NftablesConnection.open()
          const kernel = connection.listRules(family === 4 ? 'ip' : 'ip6', 'nat')
          const filter = connection.listRules(family === 4 ? 'ip' : 'ip6', 'filter')
          connection.close()
          let compared = 0
          const compare = ({ table, name, rules }: FilledChain): void => {
            const present = (table === 'nat' ? kernel : filter).filter(
              ({ chain }) => chain === name,
            )
            assert.is(present.length, rules.length)
            for (const [index, rule] of rules.entries()) {
              const ours = kernelRule(name, rule, family).expressions
              const theirs = withoutComment(present[index]?.expressions ?? [])
              assert.equal(describe(ours), describe(theirs), `${name} rule ${index}`)
              compared++
            }
          }
          for (const table of tableNames) {
            for (const chain of program.chains(plan.services.values(), table)) compare(chain)
          }
          assert.ok(compared > 60, `only ${compared} rules`)
        }),
    )
  }
}

root('save, restore and save again is the same text', () =>
  inFreshNamespace(async () => {
    execFileSync('iptables-nft', ['-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT'])
    const mechanism = await openIptablesMechanism('netlink')
    const { plan } = clusterOf(everyKind)
    await mechanism.synchronize(plan)
    mechanism.close()
    const save = (): readonly string[] =>
      programs.map((program) =>
        execFileSync(`${program}-save`, { encoding: 'utf8' }).replaceAll(/^#.*\n/gm, ''),
      )
    const first = save()
    execFileSync('nft', ['flush', 'ruleset'])
    for (const [index, program] of programs.entries()) {
      assert.ok(first[index]?.includes('KUBE-SVC-'))
      execFileSync(`${program}-restore`, { input: first[index] })
    }
    assert.equal(save(), first)
  }),
)

root('iptables deletes a rule that was written over netlink by its words', () =>
  inFreshNamespace(async () => {
    execFileSync('iptables-nft', ['-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT'])
    const mechanism = await openIptablesMechanism('netlink')
    const { plan } = clusterOf(everyKind)
    await mechanism.synchronize(plan)
    mechanism.close()
    const save = (): readonly string[] =>
      execFileSync('iptables-nft-save', ['-t', 'nat'], { encoding: 'utf8' }).split('\n')
    const rules = save().filter((line) => line.startsWith('-A KUBE-SVC-'))
    assert.ok(rules.length > 5)
    for (const rule of rules) {
      const input = `*nat\n${rule.replace('-A', '-D')}\nCOMMIT\n`
      execFileSync('iptables-nft-restore', ['--noflush'], { input })
    }
    assert.equal(
      save().filter((line) => line.startsWith('-A KUBE-SVC-')),
      [],
    )
  }),
)

test.run()
