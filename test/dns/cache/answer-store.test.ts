import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AnswerStore } from '../../../src/dns/cache/answer-store.ts'
import {
  cacheEntry,
  countHit,
  messageBytes,
  secondsLeft,
} from '../../../src/dns/cache/cache-entry.ts'

const store = suite('cache')

store('AnswerStore never exceeds its bounds and knows its bytes', () => {
  const step = fc.record({
    key: fc.nat(30),
    size: fc.nat(2_000),
    action: fc.constantFrom('set', 'set', 'get', 'delete'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const bounds = { maxEntries: 10, maxBytes: 6_000 }
      const answers = new AnswerStore(bounds)
      const entries = []
      for (const { key, size, action } of steps) {
        const name = `key ${key}`
        if (action === 'get') answers.get(name)
        else if (action === 'delete') answers.delete(name)
        else {
          const entry = cacheEntry(new Uint8Array(size), 60, 0)
          answers.set(name, entry)
          entries.push({ name, entry })
        }
        assert.ok(answers.entryCount <= bounds.maxEntries)
        assert.ok(answers.byteCount <= bounds.maxBytes)
      }
      const kept = entries.filter(({ entry }) => !entry.isGone)
      assert.is(kept.length, answers.entryCount)
      for (const { name, entry } of kept) assert.is(answers.get(name), entry)
      for (const { name } of kept) answers.delete(name)
      assert.is(answers.byteCount, 0)
    }),
  )
})

store('an entry that is larger than everything is not kept', () => {
  const answers = new AnswerStore({ maxEntries: 10, maxBytes: 1_000 })
  const entry = cacheEntry(new Uint8Array(1_000), 60, 0)
  assert.is(answers.set('a', entry), 0)
  assert.is(answers.get('a'), undefined)
  assert.is(entry.isGone, true)
})

store('the entry that was not used for the longest time goes first', () => {
  const answers = new AnswerStore({ maxEntries: 3, maxBytes: 10_000 })
  for (const key of ['a', 'b', 'c']) answers.set(key, cacheEntry(new Uint8Array(1), 60, 0))
  answers.get('a')
  assert.is(answers.set('d', cacheEntry(new Uint8Array(1), 60, 0)), 1)
  answers.get('c')
  assert.is(answers.set('e', cacheEntry(new Uint8Array(1), 60, 0)), 1)
  const kept = ['a', 'b', 'c', 'd', 'e'].filter((key) => answers.get(key) !== undefined)
  assert.equal(kept, ['c', 'd', 'e'])
})

store('an entry gives back every byte of its message', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
  assert.equal([...messageBytes(cacheEntry(bytes, 60, 0))], [...bytes])
})

store('secondsLeft counts whole seconds down', () => {
  const entry = cacheEntry(new Uint8Array(0), 60, 1_000)
  assert.equal(
    [1_000, 1_999, 2_000, 61_000, 62_500].map((now) => secondsLeft(entry, now)),
    [60, 60, 59, 0, -1],
  )
})

store('countHit starts again after a pause', () => {
  const entry = cacheEntry(new Uint8Array(0), 60, 0)
  for (const now of [100_000, 110_000, 130_000]) countHit(entry, now, 30_000)
  assert.is(entry.hitCount, 3)
  countHit(entry, 161_000, 30_000)
  assert.is(entry.hitCount, 1)
})

store.run()
