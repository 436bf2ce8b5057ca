import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LegacyDrift } from '../../../src/proxy/iptables/legacy-drift.ts'

const test = suite('proxy/iptables/legacy-drift')

test('a change of size is told once, one of our own not at all', async () => {
  let entries = 4
  let reads = 0
  let onRead = (): void => {}
  const read = () => {
    reads++
    setImmediate(onRead)
    return new Map([['iptables table nat', { entries, all: String(entries) }]])
  }
  const looked = (times: number): Promise<void> =>
    new Promise((resolve) => {
      const until = reads + times
      onRead = () => {
        if (reads >= until) resolve()
      }
    })
  const drift = new LegacyDrift({ read, close: () => {} }, 1)
  const end = new AbortController()
  const told: string[] = []
  drift.watch((what) => told.push(what), end.signal)
  await drift.during(async () => {
    entries = 7
  })
  await looked(3)
  assert.equal(told, [])
  entries = 5
  await looked(3)
  end.abort()
  assert.equal(told, ['iptables table nat has 5 entries, 7 before'])
  drift.close()
})

test.run()
