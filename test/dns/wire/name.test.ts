import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isInZone, nameLabels, parentName, parseName } from '../../../src/dns/wire/name.ts'
import { arbitraryName } from './message-arbitrary.ts'

const test = suite('dns/wire/name')

test('a canonical name parses to itself, with and without its final dot', () => {
  fc.assert(
    fc.property(arbitraryName, (name) => {
      assert.is(parseName(name), name)
      if (name !== '.') assert.is(parseName(name.slice(0, -1)), name)
    }),
  )
})

test('labels and parents agree', () => {
  fc.assert(
    fc.property(arbitraryName, (name) => {
      const labels = nameLabels(name)
      if (name !== '.') assert.is(labels.map((label) => `${label}.`).join(''), name)
      const parent = parentName(name)
      assert.equal(nameLabels(parent), labels.slice(1))
      assert.ok(isInZone(name, parent))
    }),
  )
})

const parsed: readonly [string, string | undefined][] = [
  ['web', 'web.'],
  ['WEB.x.', 'WEB.x.'],
  ['a\\046b', 'a\\.b.'],
  ['a b', 'a\\032b.'],
  ['\\065', 'A.'],
  ['', undefined],
  ['a..b', undefined],
  ['.a', undefined],
  ['a\\', undefined],
  ['a\\256', undefined],
  ['ü', '\\252.'],
  ['ł', undefined],
  [`${'a'.repeat(63)}.`, `${'a'.repeat(63)}.`],
  ['a'.repeat(64), undefined],
  [`${'a.'.repeat(127)}`, 'a.'.repeat(127)],
  [`${'a.'.repeat(128)}`, undefined],
]
for (const [text, expected] of parsed) {
  test(`parseName(${JSON.stringify(text.slice(0, 20))})`, () =>
    assert.is(parseName(text), expected))
}

test('a name is in a zone at the start of a label only', () => {
  assert.ok(isInZone('a.Cluster.local.', 'cluster.LOCAL.'))
  assert.ok(isInZone('cluster.local.', 'cluster.local.'))
  assert.not.ok(isInZone('mycluster.local.', 'cluster.local.'))
  assert.not.ok(isInZone('a\\.cluster.local.', 'cluster.local.'))
  assert.ok(isInZone('a\\\\.cluster.local.', 'cluster.local.'))
})

test.run()
