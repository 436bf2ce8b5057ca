import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CountedMap } from '../../src/ruleset/counted-map.ts'

const test = suite('ipvs/counted-map')

const newMap = (): CountedMap<number> => new CountedMap((left, right) => left === right)

test('opposites cancel each other', () => {
  const map = newMap()
  map.add('a', 1)
  assert.equal(map.takeChanges(), [{ key: 'a', before: undefined, after: 1 }])
  map.remove('a', 1)
  map.add('a', 1)
  assert.equal(map.takeChanges(), [])
})

test('a value stays as long as one owner wants it', () => {
  const map = newMap()
  map.add('a', 1)
  map.add('a', 1)
  map.takeChanges()
  map.remove('a', 1)
  assert.equal([map.get('a'), map.takeChanges()], [1, []])
  map.remove('a', 1)
  assert.equal(map.takeChanges(), [{ key: 'a', before: 1, after: undefined }])
})

test('one owner takes a key over before the other has given it up', () => {
  const map = newMap()
  map.add('a', 1)
  map.takeChanges()
  map.add('a', 2)
  map.remove('a', 1)
  assert.equal(map.takeChanges(), [{ key: 'a', before: 1, after: 2 }])
})

test('what changed is the difference between what was and what is', () => {
  const step = fc.tuple(fc.constantFrom('a', 'b'), fc.nat(2), fc.boolean())
  fc.assert(
    fc.property(fc.array(step), fc.array(step), (first, second) => {
      const map = newMap()
      const play = (steps: typeof first): void => {
        for (const [key, value, isAdded] of steps) {
          if (isAdded) map.add(key, value)
          else map.remove(key, value)
        }
      }
      play(first)
      map.takeChanges()
      const before = new Map(map.entries())
      play(second)
      const after = new Map(before)
      for (const change of map.takeChanges()) {
        assert.is(change.before, before.get(change.key))
        if (change.after === undefined) after.delete(change.key)
        else after.set(change.key, change.after)
      }
      assert.equal(after, new Map(map.entries()))
    }),
  )
})

test.run()
