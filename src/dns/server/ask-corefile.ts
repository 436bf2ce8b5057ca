import type { Corefile } from '../corefile/check-corefile.ts'
import { silentCacheObserver } from '../plugins/cache-observer.ts'
import { silentForwardObserver } from '../plugins/forward-observer.ts'
import { type GenerationParts, openGeneration } from './dns-generation.ts'
import { type Explained, explainListener, type TracedQuery } from './explain-listener.ts'
import { withReactor } from './with-reactor.ts'

/** Asks the first server of a Corefile that is opened for this one question, without sockets. Rejects when
 *  something that the Corefile names cannot be had, or when no reply came. */
export function askCorefile(
  corefile: Corefile,
  parts: Omit<GenerationParts, 'cacheObserver' | 'forwardObserver' | 'reactor'>,
  query: TracedQuery,
): Promise<Explained> {
  return withReactor(async (reactor) => {
    const generation = openGeneration(corefile, {
      ...parts,
      reactor,
      cacheObserver: silentCacheObserver,
      forwardObserver: silentForwardObserver,
    })
    try {
      await Promise.race([generation.ready, generation.failed])
      const [listener] = generation.listeners
      if (listener === undefined) return { response: undefined, notes: [] }
      return await explainListener(listener, query)
    } finally {
      generation.close()
    }
  })
}
