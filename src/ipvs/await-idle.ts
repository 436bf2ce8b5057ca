import type { DrainClock } from './draining.ts'
import type { IpvsConnection } from './ipvs-connection.ts'
import type { VirtualServerKey } from './virtual-server.ts'

/** Between two looks at the connections. */
const lookEveryMs = 2_000

/** Resolves when no connection through these virtual servers is active (for TCP: none is established), when
 *  `limitMs` have passed, or when the signal is aborted. */
export async function awaitIdle(
  ipvs: Pick<IpvsConnection, 'listDestinations'>,
  servers: readonly VirtualServerKey[],
  clock: DrainClock,
  limitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const began = clock.now()
  const busy = new Set(servers)
  while (!signal.aborted && clock.now() - began < limitMs) {
    // New flows go elsewhere: a server that is idle stays so.
    for (const server of busy) {
      const isIdle = ipvs
        .listDestinations(server)
        .every(({ activeConnections }) => activeConnections === 0)
      if (isIdle) busy.delete(server)
    }
    if (busy.size === 0) return
    await pause(clock, signal)
  }
}

function pause(clock: DrainClock, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = clock.schedule(finish, lookEveryMs)
  signal.addEventListener('abort', finish, { once: true })
  function finish(): void {
    cancel()
    signal.removeEventListener('abort', finish)
    resolve()
  }
  return promise
}
