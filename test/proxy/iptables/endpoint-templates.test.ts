import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Family, readAddress } from '../../../src/net/address.ts'
import { protocols } from '../../../src/net/protocol.ts'
import { AttributeWriter } from '../../../src/netlink/attribute-writer.ts'
import type { Rule as KernelRule } from '../../../src/netlink/nftables/objects.ts'
import { encodeRule } from '../../../src/netlink/nftables/rule-codec.ts'
import { EndpointTemplates } from '../../../src/proxy/iptables/endpoint-templates.ts'
import type { Rule } from '../../../src/proxy/iptables/rule.ts'
import { kernelRule } from '../../../src/proxy/iptables/rule-expressions.ts'

const test = suite('proxy/iptables/endpoint-templates')
const templates = new EndpointTemplates()

function bytesOf(rule: KernelRule | undefined): string {
  if (rule === undefined) throw new Error('no template for this rule')
  const writer = new AttributeWriter()
  encodeRule(writer, 'nat', rule)
  return Buffer.from(writer.written()).toString('hex')
}

test('a rule from a template is byte for byte what the tables give', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Family>(4, 6),
      fc.constantFrom(...protocols),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.nat(65_535),
      fc.option(fc.nat(2 ** 31)),
      fc.option(fc.constantFrom('ns/web -> 10.1.0.4:80', 'é')),
      (family, protocol, bytes, port, share, comment) => {
        const rule: Rule = {
          protocol,
          matches: share === null ? [] : [{ kind: 'statistic', share }],
          ...(comment === null ? {} : { comment }),
          target: { kind: 'dnat', address: readAddress(bytes, 0, family), port },
        }
        const fast = templates.rule('KUBE-SVC-A', rule, family)
        assert.is(bytesOf(fast), bytesOf(kernelRule('KUBE-SVC-A', rule, family)))
      },
    ),
  )
})

const dnat = { kind: 'dnat', address: '10.1.0.4', port: 80 } as const
const others: readonly (readonly [string, Rule])[] = [
  ['another target', { protocol: 'TCP', target: { kind: 'accept' } }],
  ['a port', { protocol: 'TCP', port: 80, target: dnat }],
  ['an interface', { protocol: 'TCP', input: { value: 'cni0' }, target: dnat }],
  [
    'a list of clients',
    { protocol: 'TCP', matches: [{ kind: 'recent-set', list: 'A' }], target: dnat },
  ],
]
for (const [title, rule] of others) {
  test(`a rule with ${title} has no template`, () => {
    assert.is(templates.rule('KUBE-SVC-A', rule, 4), undefined)
  })
}

test.run()
