import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runInput } from '../../scripts/fuzz/fuzz-target.ts'
import { runTarget } from '../../scripts/fuzz/run-target.ts'
import { canaryTargets, fuzzTargets } from '../../scripts/fuzz/targets.ts'
import { DecodeError } from '../../src/net/decode-error.ts'
import { decodeAnyNetlink } from '../../src/netlink/nftables/decode-any-netlink.ts'

/** Repeatable: another seed and a million inputs are `npm run fuzz`. */
const seed = 1

/** Inputs of a target per share; all targets together take a few seconds. */
const inputsPerShare = 100

const fuzz = suite('decoders of foreign data')

for (const target of fuzzTargets) {
  fuzz(`${target.name} are taken or refused`, () => {
    const least = target.leastRuns?.test ?? 0
    for (let index = 0; index < Math.max(least, target.share * inputsPerShare); index++) {
      const finding = runInput(target, seed, index)
      if (finding !== undefined) assert.unreachable(JSON.stringify(finding, undefined, 2))
    }
  })
}

for (const canary of canaryTargets) {
  fuzz(`the harness finds ${canary.name}`, async () => {
    const order = { target: canary.name, seed, first: 0, count: 100_000 }
    const finding = await runTarget(order, new AbortController().signal)
    assert.is(finding?.target, canary.name)
  })
}

/** Inputs that once broke a decoder. */
const broken = [
  {
    title: 'an acknowledgement that repeats a request of 2 GiB led before the start of its bytes',
    bytes: '28000000020000020100000000000000000000000000008800000000000000000000000000000000',
  },
]

for (const { title, bytes } of broken) {
  fuzz(title, () => {
    try {
      decodeAnyNetlink(Buffer.from(bytes, 'hex'))
    } catch (error) {
      assert.instance(error, DecodeError)
    }
  })
}

fuzz.run()
