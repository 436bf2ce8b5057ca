import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LineSplitter } from '../../src/kube/line-splitter.ts'

const test = suite('kube/line-splitter')

test('lines are the same however the bytes are cut', () => {
  const line = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 20 })
    .filter((text) => !text.includes('\n'))
  const cuts = fc.array(fc.nat(30), { maxLength: 20 })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), line, cuts, (lines, rest, sizes) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join('') + rest)
      const splitter = new LineSplitter(10_000)
      const found: string[] = []
      let start = 0
      for (const size of [...sizes, bytes.length]) {
        found.push(...splitter.push(bytes.subarray(start, start + size)))
        start += size
      }
      const expected = bytes.toString('utf8').split('\n')
      assert.is(splitter.end(), expected.pop())
      assert.equal(found, expected)
    }),
    { numRuns: 300 },
  )
})

test('a line over the limit is refused, whether it ends or not', () => {
  assert.equal(new LineSplitter(3).push(Buffer.from('abc\nabc\n')), ['abc', 'abc'])
  assert.throws(() => new LineSplitter(3).push(Buffer.from('abcd\n')), /more than 3 bytes/)
  const splitter = new LineSplitter(3)
  splitter.push(Buffer.from('ab'))
  assert.throws(() => splitter.push(Buffer.from('cd')), /more than 3 bytes/)
})

test.run()
