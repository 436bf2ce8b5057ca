import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AttributeWriter } from '../../../src/netlink/attribute-writer.ts'
import { NftablesConnection } from '../../../src/netlink/nftables/connection.ts'
import { expressions } from '../../../src/netlink/nftables/expressions.ts'
import { normalizeExpression } from '../../../src/netlink/nftables/normalize-expression.ts'
import { decodeRule, encodeRule } from '../../../src/netlink/nftables/rule-codec.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { needsRoot } from '../../support/needs-root.ts'
import { everyExpression } from './every-expression.ts'

const test = suite('netlink/nftables/normalize-expression')

test('the sample rules hold every expression that can be written', () => {
  const used = everyExpression.flatMap((rule) => rule.expressions.map(({ name }) => name))
  const all = Object.keys(expressions).filter((name) => name !== 'unknown')
  assert.equal([...new Set(used)].sort(), all.sort())
})

test('decodeRule gives back what encodeRule wrote', () => {
  for (const rule of everyExpression) {
    const writer = new AttributeWriter()
    encodeRule(writer, 'portolan', { ...rule, comment: 'why' })
    const read = decodeRule(writer.written(), 0, writer.length)
    assert.equal(read, { ...rule, comment: 'why' })
  }
})

test('an expression that is not in our tables is kept as unknown and cannot be written', () => {
  const writer = new AttributeWriter()
  const list = writer.nest(4)
  const element = writer.nest(1)
  writer.string(1, 'limit')
  writer.bytes(2, new Uint8Array([1, 2]))
  writer.close(element)
  writer.close(list)
  const rule = decodeRule(writer.written(), 0, writer.length)
  assert.equal(rule.expressions, [
    { name: 'unknown', data: { name: 'limit', bytes: new Uint8Array([1, 2]) } },
  ])
  assert.throws(
    () => encodeRule(new AttributeWriter(), 't', rule),
    /"limit" was read from the kernel/,
  )
})

test('the normal form is stable', () => {
  for (const { expressions } of everyExpression) {
    const once = expressions.map(normalizeExpression)
    assert.equal(once.map(normalizeExpression), once)
  }
})

needsRoot(test)('what the kernel dumps equals what was written, in normal form', async () => {
  await inFreshNamespace(() => {
    const connection = NftablesConnection.open()
    const batch = connection.newBatch()
    batch.addTable({ family: 'ip', name: 't' })
    for (const [name, type, hook, priority] of [
      ['prerouting', 'nat', 'prerouting', -100],
      ['postrouting', 'nat', 'postrouting', 100],
      ['raw', 'filter', 'prerouting', -300],
    ] as const) {
      batch.addChain('ip', 't', { name, hook: { type, hook, priority } })
    }
    batch.addChain('ip', 't', { name: 'regular' })
    batch.addChain('ip', 't', { name: 'target' })
    const members = {
      name: 'members',
      keyType: 19,
      keyBytes: 4,
      fieldBytes: [4],
      isInterval: false,
      isDynamic: false,
    }
    batch.addSet('ip', 't', members)
    const data = { type: 19, bytes: 4 }
    batch.addSet('ip', 't', { ...members, name: 'times', data, isDynamic: true, maxElements: 99 })
    for (const rule of everyExpression) batch.addRule('ip', 't', rule)
    connection.commit(batch)
    const read = connection.listRules('ip', 't')
    assert.equal(
      read.map(({ chain, expressions }) => [chain, expressions.map(normalizeExpression)]),
      everyExpression.map(({ chain, expressions }) => [
        chain,
        expressions.map(normalizeExpression),
      ]),
    )
    connection.close()
  })
})

test.run()
