import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Backoff } from '../../src/kube/backoff.ts'

const test = suite('kube/backoff')

test('waiting times stay within their bounds and start again at the base', () => {
  const draws = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
    minLength: 1,
  })
  fc.assert(
    fc.property(draws, (values) => {
      let index = 0
      const backoff = new Backoff({ baseMs: 200, maxMs: 30_000 }, () => values[index++] ?? 0)
      let last = 200
      for (const _ of values) {
        const next = backoff.next()
        assert.ok(next >= 200 && next <= Math.min(30_000, 3 * last))
        last = next
      }
      backoff.reset()
      assert.ok(backoff.next() <= 600)
    }),
  )
})

test('always drawing the largest reaches the limit', () => {
  const backoff = new Backoff({ baseMs: 100, maxMs: 1_000 }, () => 1)
  assert.equal(
    Array.from({ length: 4 }, () => backoff.next()),
    [300, 900, 1_000, 1_000],
  )
})

test.run()
