import { readFileSync } from 'node:fs'
import process from 'node:process'
import { getHeapSpaceStatistics } from 'node:v8'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { boundMemory, releaseMemory } from '../../src/cli/process-memory.ts'

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

memory.run()
