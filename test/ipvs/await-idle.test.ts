import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { awaitIdle } from '../../src/ipvs/await-idle.ts'
import type { VirtualServerKey } from '../../src/ipvs/virtual-server.ts'

const test = suite('ipvs/await-idle')

const server: VirtualServerKey = {
  kind: 'address',
  family: 4,
  protocol: 'TCP',
  address: '10.96.0.1',
  port: 80,
}

/** A clock that runs when somebody waits, and a kernel with this many active connections at each look. */
function world(active: readonly number[]) {
  let nowMs = 0
  let looks = 0
  const clock = {
    now: () => nowMs,
    schedule(callback: () => void, delayMs: number) {
      setImmediate(() => {
        nowMs += delayMs
        callback()
      })
      return () => {}
    },
  }
  const ipvs = {
    listDestinations() {
      const activeConnections = active[Math.min(looks++, active.length - 1)] ?? 0
      const counts = { activeConnections, inactiveConnections: 7, persistentConnections: 1 }
      return [{ address: '10.1.0.1', port: 8080, weight: 1, ...counts }]
    },
  }
  return { clock, ipvs, looks: () => looks, now: () => nowMs }
}

test('waits for the last active connection, not for those that linger', async () => {
  const { clock, ipvs, looks } = world([3, 1, 0])
  await awaitIdle(ipvs, [server], clock, 60_000, new AbortController().signal)
  assert.is(looks(), 3)
})

test('has a limit', async () => {
  const { clock, ipvs, now } = world([1])
  await awaitIdle(ipvs, [server], clock, 60_000, new AbortController().signal)
  assert.is(now(), 60_000)
})

test('ends with the signal', async () => {
  const { clock, ipvs, looks } = world([1])
  const abort = new AbortController()
  const ended = awaitIdle(ipvs, [server], clock, 60_000, abort.signal)
  abort.abort()
  await ended
  assert.is(looks(), 1)
})

test.run()
