import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TurnLoop } from '../../../src/reactor/descriptors/turn-loop.ts'
import { EpollSet } from '../../../src/reactor/epoll/epoll-set.ts'

const test = suite('reactor/turn loop')
const linuxOnly = process.platform === 'linux' ? test : test.skip
if (process.platform !== 'linux') process.stdout.write('# skipped: turn loop: needs epoll\n')

linuxOnly('no turn follows the one that closed the loop, though it had more work', async () => {
  const set = new EpollSet()
  let turns = 0
  const loop: TurnLoop = new TurnLoop(set.descriptor, false, () => {
    turns++
    if (turns === 2) loop.close()
    return true
  })
  loop.kick()
  // Turns come in immediates, up to four in each.
  for (let event = 0; event < 3; event++) await new Promise(setImmediate)
  assert.is(turns, 2)
  set.close()
})

test.run()
