import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  frontendKey,
  hostWordString,
  readHostWord,
  sourceRangeElements,
} from '../../src/ruleset/element-keys.ts'
import { prefix } from '../support/plan-fixture.ts'

const test = suite('ruleset/element-keys')

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex')

test('every field fills whole words, in network order', () => {
  assert.is(hex(frontendKey('10.96.0.10', 'TCP', 80)), '0a60000a' + '06000000' + '00500000')
  assert.is(hex(frontendKey('fd00::1', 'SCTP', 443)).slice(32), '84000000' + '01bb0000')
})

test('readHostWord undoes hostWordString', () => {
  for (const value of [0, 1, 0x4000, 0x8005_4602, 0xffff_ffff]) {
    assert.is(readHostWord(hostWordString(value)), value)
    assert.is(readHostWord(`abcd${hostWordString(value)}`, 4), value)
  }
})

test('source ranges that lie in another one, or stand twice, are left out', () => {
  const ranges = ['10.1.0.0/16', '10.0.0.0/8', '192.168.0.1/32', '192.168.0.1/32'].map(prefix)
  const elements = sourceRangeElements('key', ranges, 'ns/web:http')
  assert.equal(
    elements.map(({ key, keyEnd, comment }) => [
      hex(key.slice(3)),
      hex(keyEnd?.slice(3) ?? ''),
      comment,
    ]),
    [
      ['0a000000', '0affffff', 'ns/web:http'],
      ['c0a80001', 'c0a80001', 'ns/web:http'],
    ],
  )
})

test.run()
