import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ShortCutMarks } from '../../src/ipvs/short-cut-marks.ts'

const test = suite('ipvs/short-cut-marks')

const anyBit = fc.nat(31).map((bit) => 2 ** bit)

test('marks differ from each other, and the masquerade bit is set exactly when asked', () => {
  fc.assert(
    fc.property(anyBit, (bit) => {
      const marks = new ShortCutMarks(bit)
      const plain = ['a', 'b', 'c'].map((name) => marks.markOf(name, false))
      const masqueraded = ['a', 'b', 'c'].map((name) => marks.markOf(name, true))
      assert.is(new Set([...plain, ...masqueraded]).size, 6)
      for (const mark of plain) assert.is(Math.floor(mark / bit) % 2, 0)
      for (const mark of masqueraded) assert.is(Math.floor(mark / bit) % 2, 1)
      for (const mark of [...plain, ...masqueraded]) assert.ok(mark > 0xff_ffff && mark < 2 ** 32)
    }),
  )
})

test('a mark stays, survives a restart, and is free again when released', () => {
  fc.assert(
    fc.property(anyBit, (bit) => {
      const marks = new ShortCutMarks(bit)
      marks.markOf('a', false)
      const mark = marks.markOf('b', true)
      assert.is(marks.markOf('b', true), mark)
      const restarted = new ShortCutMarks(bit)
      restarted.adopt('b', mark)
      assert.is(restarted.markOf('b', true), mark)
      assert.is.not(restarted.markOf('c', true), mark)
      restarted.release('b')
      restarted.adopt('d', mark)
      assert.is(restarted.markOf('d', true), mark)
    }),
  )
})

test('foreign marks are not taken over', () => {
  const marks = new ShortCutMarks(0x4000)
  marks.adopt('a', 0x4000)
  marks.adopt('a', 0x1)
  assert.is(marks.markOf('a', false), 0x5000_0001)
})

test.run()
