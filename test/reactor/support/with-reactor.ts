import { setTimeout as delay } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { openDescriptors } from '../../../scripts/support/open-descriptors.ts'
import { openReactor } from '../../../src/reactor/open-reactor.ts'
import type { EngineName, Reactor } from '../../../src/reactor/reactor.ts'
import type { ReactorOptions } from '../../../src/reactor/reactor-options.ts'

/** Any free port of IPv4's loopback. */
export const loopback = { address: '127.0.0.1', port: 0 } as const

/** Nothing may take longer. */
const limitMs = 30_000

/** Runs `body` with a reactor in checked mode, closes it, and checks that nothing is left of it. */
export async function withReactor(
  engine: EngineName,
  body: (reactor: Reactor) => Promise<void>,
  options: ReactorOptions = {},
): Promise<void> {
  const before = openDescriptors()
  const abort = new AbortController()
  const reactor = openReactor({ isChecked: true, ...options, engine }, abort.signal)
  assert.is(reactor.engine, engine)
  const late = delay(limitMs, undefined, { signal: abort.signal, ref: false }).then(
    () =>
      Promise.reject(new Error(`no end after ${limitMs} ms; ${JSON.stringify(reactor.counts)}`)),
    () => {},
  )
  try {
    await Promise.race([body(reactor), late])
  } finally {
    abort.abort()
    await reactor.closed
  }
  const { connections, listeners, datagramSockets, timers, buffers } = reactor.counts
  assert.equal([connections, listeners, datagramSockets, timers, buffers], [0, 0, 0, 0, 0])
  // Sockets of the test's own peers close a little later.
  for (let turn = 0; turn < 100 && openDescriptors() > before; turn++) await delay(10)
  assert.ok(openDescriptors() <= before, `${openDescriptors() - before} descriptors are left`)
}
