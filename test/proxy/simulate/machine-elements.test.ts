import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { elementLookup } from '../../../src/proxy/simulate/machine-elements.ts'
import { bytes, ip } from './program-fixture.ts'

test('a plain set finds exact keys, the last of two equal ones', () => {
  const lookup = elementLookup({ isInterval: false, fieldBytes: [1] }, [
    { key: 'a', value: '1' },
    { key: 'a', value: '2' },
  ])
  assert.is(lookup.get('a')?.value, '2')
  assert.is(lookup.get('b'), undefined)
})

test('an interval starts inclusively and ends exclusively; neighbours touch', () => {
  const lookup = elementLookup({ isInterval: true, fieldBytes: [4] }, [
    { key: ip('10.0.1.0'), isIntervalEnd: true },
    { key: ip('10.0.0.0'), value: 'first' },
    { key: ip('10.0.1.0'), value: 'second' },
    { key: ip('10.0.2.0'), isIntervalEnd: true },
    { key: ip('0.0.0.0'), isIntervalEnd: true },
  ])
  const at = (text: string): string | undefined => lookup.get(ip(text))?.value
  assert.is(at('9.255.255.255'), undefined)
  assert.is(at('10.0.0.0'), 'first')
  assert.is(at('10.0.0.255'), 'first')
  assert.is(at('10.0.1.0'), 'second')
  assert.is(at('10.0.2.0'), undefined)
})

test('an interval without an end goes on to the last key', () => {
  const lookup = elementLookup({ isInterval: true, fieldBytes: [4] }, [{ key: ip('240.0.0.0') }])
  assert.ok(lookup.get(ip('255.255.255.255')))
  assert.not(lookup.get(ip('239.255.255.255')))
})

test('a concatenated interval holds each field by itself', () => {
  const fields = fc.tuple(fc.nat(255), fc.nat(255))
  fc.assert(
    fc.property(fields, fields, fields, (one, other, [first, second]) => {
      const [low, high] = [one[0], other[0]].sort((left, right) => left - right)
      const [start, end] = [one[1], other[1]].sort((left, right) => left - right)
      const key = (address: number, number: number): string =>
        bytes(10, 0, 0, address) + bytes(number, 0, 0, 0)
      const lookup = elementLookup({ isInterval: true, fieldBytes: [4, 1] }, [
        { key: key(low ?? 0, start ?? 0), keyEnd: key(high ?? 0, end ?? 0) },
      ])
      const isInside =
        first >= (low ?? 0) &&
        first <= (high ?? 0) &&
        second >= (start ?? 0) &&
        second <= (end ?? 0)
      assert.is(lookup.get(key(first, second)) !== undefined, isInside)
    }),
    { numRuns: 500 },
  )
})

test.run()
