import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { assignSlots } from '../../../src/proxy/nftables/pool-slots.ts'

const test = suite('proxy/nftables/pool-slots')

const backends = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map(String), { maxLength: 20 })

test('assignSlots gives every wanted backend exactly one slot', () => {
  fc.assert(
    fc.property(backends, backends, (before, wanted) => {
      assert.equal([...assignSlots(before, wanted)].sort(), [...wanted].sort())
    }),
    { numRuns: 1000 },
  )
})

test('assignSlots moves a backend only into a hole, and only from behind the end', () => {
  fc.assert(
    fc.property(backends, backends, (before, wanted) => {
      const after = assignSlots(before, wanted)
      after.forEach((backend, slot) => {
        const oldSlot = before.indexOf(backend)
        if (oldSlot >= 0 && oldSlot !== slot) assert.ok(oldSlot >= wanted.length)
      })
    }),
    { numRuns: 1000 },
  )
})

test('assignSlots changes two slots when one of n goes', () => {
  const before = Array.from({ length: 100 }, (_, index) => `b${index}`)
  const after = assignSlots(
    before,
    before.filter((backend) => backend !== 'b40'),
  )
  assert.is(after.length, 99)
  assert.is(after[40], 'b99')
  assert.is(after.filter((backend, slot) => backend !== before[slot]).length, 1)
})

test.run()
