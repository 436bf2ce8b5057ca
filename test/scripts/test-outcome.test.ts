import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { countOutcome } from '../../scripts/support/test-outcome.ts'

const outcome = suite('countOutcome')

function uvu(total: number, passed: number, skipped: number): string {
  return `\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n`
}

function figures(code: number, output: string, isCheck = false): readonly number[] {
  const { passed, failed, skipped } = countOutcome('a.test.ts', code, output, isCheck)
  return [passed, failed, skipped]
}

outcome('adds the figures of all suites of a file', () => {
  assert.equal(figures(0, uvu(3, 3, 1) + uvu(2, 2, 0)), [5, 0, 1])
})
outcome('counts what did not pass as failed', () => {
  assert.equal(figures(1, uvu(3, 1, 0)), [1, 2, 0])
})
outcome('counts a file that skips everything as skipped only', () => {
  assert.equal(figures(0, uvu(0, 0, 4)), [0, 0, 4])
})
outcome('fails a file that ran no test', () => {
  assert.equal(figures(0, ''), [0, 1, 0])
  assert.equal(figures(0, uvu(0, 0, 0)), [0, 1, 0])
})
outcome('fails a file that crashed after its tests', () => {
  assert.equal(figures(1, uvu(2, 2, 0)), [2, 1, 0])
})
outcome('counts a check by its exit code', () => {
  assert.equal(figures(0, '', true), [1, 0, 0])
  assert.equal(figures(2, '', true), [0, 1, 0])
})

outcome.run()
