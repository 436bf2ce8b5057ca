import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  addressBytes,
  isUnspecified,
  parseAddress,
  readAddress,
  writeAddress,
} from '../../src/net/address.ts'

const test = suite('net/address')

test('parseAddress gives canonical texts', () => {
  assert.equal(parseAddress('10.96.0.1'), { family: 4, text: '10.96.0.1' })
  assert.equal(parseAddress('FD00:0:0::0001'), { family: 6, text: 'fd00::1' })
  assert.equal(parseAddress('::'), { family: 6, text: '::' })
})

test('isUnspecified knows the address of either family that is any local one', () => {
  assert.equal(['0.0.0.0', '::', '0.0.0.1', '::1'].map(isUnspecified), [true, true, false, false])
})

test('parseAddress refuses what is not exactly an address', () => {
  for (const text of [
    '',
    '1.2.3',
    '1..2.3',
    '01.2.3.4',
    '256.1.1.1',
    ' 1.2.3.4',
    '0x1.2.3.4',
    '1.2.3.4/8',
    'fd00::1%eth0',
    'fd00:::1',
    'g::1',
    '::ffff:1.2.3.4',
    '1:2:3:4:5:6:7:8:9',
  ]) {
    assert.is(parseAddress(text), undefined, text)
  }
})

test('writeAddress and readAddress are inverse', () => {
  const addresses = fc.oneof(
    fc.tuple(fc.constant(4 as const), fc.uint8Array({ minLength: 4, maxLength: 4 })),
    fc.tuple(fc.constant(6 as const), fc.uint8Array({ minLength: 16, maxLength: 16 })),
  )
  fc.assert(
    fc.property(addresses, ([family, bytes]) => {
      const text = readAddress(bytes, 0, family)
      const written = new Uint8Array(addressBytes(family) + 2)
      writeAddress(written, 1, text)
      assert.equal(written.subarray(1, -1), bytes)
    }),
    { numRuns: 500 },
  )
})

test.run()
