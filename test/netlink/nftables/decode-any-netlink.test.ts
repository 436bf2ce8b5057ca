import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DecodeError } from '../../../src/net/decode-error.ts'
import { messageFlags } from '../../../src/netlink/message-reader.ts'
import { NftablesBatch } from '../../../src/netlink/nftables/batch.ts'
import { decodeAnyNetlink } from '../../../src/netlink/nftables/decode-any-netlink.ts'
import { everyExpression } from './every-expression.ts'
import { serviceKey, services } from './sample-table.ts'

const test = suite('netlink/nftables/decode-any-netlink')

function sample(): Uint8Array {
  const batch = new NftablesBatch()
  batch.addTable({ family: 'ip', name: 't', comment: 'ours' })
  batch.addChain('ip', 't', { name: 'regular' })
  batch.addSet('ip', 't', services)
  for (const rule of everyExpression) batch.addRule('ip', 't', rule)
  batch.addElement('ip', 't', services, serviceKey(1), '\x01\0\0\0', 'default/web')
  batch.addSetElement('ip', 't', services, {
    key: serviceKey(2),
    verdict: { code: -3, chain: 'regular' },
    timeoutMs: 5,
  })
  return batch.finish(1).slice()
}

test('every message of a batch is decoded', () => {
  const found = decodeAnyNetlink(sample())
  const rules = found.filter(
    (one) => typeof one === 'object' && one !== null && 'expressions' in one,
  )
  assert.is(rules.length, everyExpression.length)
})

test('damaged datagrams end in values or a DecodeError', () => {
  const whole = sample()
  const types = fc.constantFrom(
    2,
    3,
    16,
    20,
    0x100,
    0x102,
    0xa00,
    0xa03,
    0xa06,
    0xa09,
    0xa0c,
    0xa0f,
  )
  const single = fc.tuple(types, fc.uint8Array({ maxLength: 120 })).map(([type, payload]) => {
    const bytes = new Uint8Array(16 + payload.length)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, bytes.length, true)
    view.setUint16(4, type, true)
    view.setUint16(6, messageFlags.ackAttributes, true)
    bytes.set(payload, 16)
    return bytes
  })
  const damaged = fc
    .array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 })
    .map((patches) => {
      const bytes = whole.slice()
      for (const [at, value] of patches) bytes[at % bytes.length] = value
      return bytes
    })
  fc.assert(
    fc.property(fc.oneof(single, damaged, fc.uint8Array({ maxLength: 80 })), (bytes) => {
      try {
        decodeAnyNetlink(bytes)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
      }
    }),
    { numRuns: 5000 },
  )
})

test.run()
