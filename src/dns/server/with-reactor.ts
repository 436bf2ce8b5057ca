import { openReactor } from '../../reactor/open-reactor.ts'
import type { Reactor } from '../../reactor/reactor.ts'

/** Runs something with a reactor of its own, which is closed afterwards. For single questions: nothing is gained by
 *  an engine other than Node's own sockets. */
export async function withReactor<T>(run: (reactor: Reactor) => Promise<T>): Promise<T> {
  const ending = new AbortController()
  const reactor = openReactor({ engine: 'portable' }, ending.signal)
  try {
    return await run(reactor)
  } finally {
    ending.abort()
    await reactor.closed
  }
}
