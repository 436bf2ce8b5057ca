import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatGoDuration, parseGoDuration } from '../../src/net/go-duration.ts'

const test = suite('net/go-duration')

const rows: readonly [string, number | undefined][] = [
  ['0', 0],
  ['0s', 0],
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['2h22m', 8_520_000],
  ['1.5s', 1_500],
  ['.5s', 500],
  ['1.s', 1_000],
  ['250ms', 250],
  ['1us', 0.001],
  ['1µs', 0.001],
  ['1μs', 0.001],
  ['-1m', -60_000],
  ['+1m', 60_000],
  ['2562047h47m', 9_223_372_020_000],
  ['2562048h', undefined],
  ['', undefined],
  ['30', undefined],
  ['s', undefined],
  ['.s', undefined],
  ['1d', undefined],
  [' 1s', undefined],
  ['1s ', undefined],
  ['1e3s', undefined],
  ['--1s', undefined],
]

for (const [text, durationMs] of rows) {
  test(`parseGoDuration of "${text}"`, () => assert.is(parseGoDuration(text), durationMs))
}

const printed: readonly [number, string][] = [
  [0, '0s'],
  [30_000, '30s'],
  [1_500, '1.5s'],
  [250, '250ms'],
  [0.001, '1µs'],
  [900_000, '15m0s'],
  [86_400_000, '24h0m0s'],
  [-60_000, '-1m0s'],
]

for (const [durationMs, text] of printed) {
  test(`formatGoDuration of ${durationMs} ms`, () => assert.is(formatGoDuration(durationMs), text))
}

test('what is printed is read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (durationMs) => {
      const again = parseGoDuration(formatGoDuration(durationMs))
      return again !== undefined && Math.abs(again - durationMs) < 1e-3
    }),
  )
})

test('any text gives a finite number or nothing', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const durationMs = parseGoDuration(text)
      return durationMs === undefined || Number.isFinite(durationMs)
    }),
  )
})

test.run()
