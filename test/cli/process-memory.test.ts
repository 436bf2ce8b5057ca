import { readFileSync } from 'node:fs'
import process from 'node:process'
import { setImmediate as immediate } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { boundMemory, releaseMemory, tuneYoungGeneration } from '../../src/cli/process-memory.ts'

const memory = suite('process memory')

const megabyte = 1_048_576

/** Small objects that live long enough to leave the young generation, and then are garbage. */
function makeGarbage(): number {
  const objects = Array.from({ length: 1_000_000 }, (_, index) => ({ index, list: [index] }))
  return objects.length
}

function residentBytes(): number {
  const [, kilobytes] = readFileSync('/proc/self/status', 'utf8').match(/^VmRSS:\s+(\d+)/m) ?? []
  return Number(kilobytes) * 1024
}

const onLinux = process.platform === 'linux' ? memory : memory.skip

onLinux('releaseMemory gives garbage back to the system', () => {
  makeGarbage()
  const before = residentBytes()
  releaseMemory()
  const released = before - residentBytes()
  assert.ok(released > 50 * megabyte, `released ${released} bytes`)
})

memory('boundMemory keeps the young generation small', () => {
  boundMemory()
  releaseMemory()
  makeGarbage()
  const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')
  assert.ok(young !== undefined && young.space_size <= 4 * megabyte, `${young?.space_size} bytes`)
})

memory(
  'tuneYoungGeneration lets it grow once, when objects of requests under way are many',
  async () => {
    boundMemory()
    releaseMemory()
    tuneYoungGeneration()
    const requests: object[] = []
    for (let turn = 0; turn < 2_000; turn++) {
      for (let count = 0; count < 1_000; count++)
        requests[(turn * 1_000 + count) % 20_000] = { turn }
      await immediate()
    }
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')
    const size = (young?.space_size ?? 0) / megabyte
    assert.ok(size > 2 && size <= 8, `${size} MB`)
  },
)

memory.run()
