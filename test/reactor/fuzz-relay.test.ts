import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { relayStorm } from '../../scripts/fuzz/relay/relay-storm.ts'
import { StormCheck, StormStream } from '../../scripts/fuzz/relay/storm-bytes.ts'
import { contract } from './support/contract.ts'

/** Bytes of a stream with its head. */
function wire(length: number): Buffer {
  const stream = new StormStream(77, length)
  return Buffer.concat([stream.head, stream.part(0, length)])
}

const check = suite('the check of fuzzed streams')

check('takes a stream however it is split', () => {
  const bytes = wire(20)
  for (let first = 0; first <= bytes.length; first++) {
    const taken = new StormCheck()
    assert.is(taken.add(bytes.subarray(0, first)), undefined)
    assert.is(taken.add(bytes.subarray(first)), undefined)
    assert.is(taken.end(), undefined)
  }
})

check('finds a byte that is missing, doubled, changed or too many', () => {
  const bytes = wire(20)
  const parts = (...ends: readonly (readonly [number, number])[]): Buffer =>
    Buffer.concat(ends.map(([from, to]) => bytes.subarray(from, to)))
  const changed = Buffer.from(bytes)
  changed[15] = (changed[15] ?? 0) ^ 1
  for (const [wrong, fault] of [
    [parts([0, 12], [13, 28]), 'wrong bytes'],
    [parts([0, 13], [12, 28]), 'wrong bytes'],
    [changed, 'wrong bytes'],
    [parts([0, 27]), 'ended with 19 of 20'],
    [parts([0, 6]), 'ended with 6 bytes of the head'],
    [Buffer.concat([bytes, new StormStream(97, 1).part(0, 1)]), 'more bytes than'],
  ] as const) {
    const taken = new StormCheck()
    const found = taken.add(wrong) ?? taken.end() ?? 'nothing'
    assert.ok(found.startsWith(fault), `${found}; expected ${fault}`)
  }
})

check.run()

/** The short form of `npm run fuzz -- relay`. */
const { test, run } = contract('random peers through a relay')

test('nothing is lost, changed or left', async (engine) => {
  const order = { engine, seed: 20_261_125, count: 120, width: 32 }
  assert.equal(await relayStorm(order, AbortSignal.timeout(60_000)), [])
})

run()
