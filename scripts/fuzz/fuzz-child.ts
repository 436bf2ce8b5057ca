/** Runs one target's inputs in a process of its own: a loop without end cannot stop a thread from
 *  outside, but a process can be killed. Before each input its number goes to the progress file. */
import { openSync, writeSync } from 'node:fs'
import process from 'node:process'
import type { ChildOrder } from './child-order.ts'
import { runInput } from './fuzz-target.ts'
import { findTarget } from './targets.ts'

const order: ChildOrder = JSON.parse(process.argv[2] ?? '{}')
const file = openSync(order.progressFile, 'r+')
const progress = new Uint32Array(1)
const target = findTarget(order.target)
const end = order.first + order.count
let finding: ReturnType<typeof runInput>
for (let index = order.first; index < end && finding === undefined; index++) {
  progress[0] = index
  writeSync(file, progress, 0, 4, 0)
  finding = runInput(target, order.seed, index)
}
process.send?.(finding ?? 'clean')
process.disconnect?.()
