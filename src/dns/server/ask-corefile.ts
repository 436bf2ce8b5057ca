import { openReactor } from '../../reactor/open-reactor.ts'
import type { Transport } from '../chain/request.ts'
import type { Corefile } from '../corefile/check-corefile.ts'
import { silentCacheObserver } from '../plugins/cache-observer.ts'
import type { Response } from '../plugins/dns-server.ts'
import { silentForwardObserver } from '../plugins/forward-observer.ts'
import type { Message } from '../wire/message.ts'
import { type GenerationParts, openGeneration } from './dns-generation.ts'

/** Who asks, and how. */
export interface CorefileQuery {
  readonly message: Message
  /** Canonical address of the client. */
  readonly client: string
  readonly transport: Transport
}

/** What a server of this Corefile would say, and why. */
export interface Explained {
  /** Undefined: it would say nothing. */
  readonly response: Response | undefined
  /** Notes of the plugins, in order. */
  readonly notes: readonly { readonly plugin: string; readonly text: string }[]
}

/** Asks the first server of a Corefile that is opened for this one question, without sockets. Rejects when
 *  something that the Corefile names cannot be had, or when no reply came. */
export async function askCorefile(
  corefile: Corefile,
  parts: Omit<GenerationParts, 'cacheObserver' | 'forwardObserver' | 'reactor'>,
  { message, client, transport }: CorefileQuery,
): Promise<Explained> {
  const ending = new AbortController()
  // For one question nothing is gained by another engine.
  const reactor = openReactor({ engine: 'portable' }, ending.signal)
  const generation = openGeneration(corefile, {
    ...parts,
    reactor,
    cacheObserver: silentCacheObserver,
    forwardObserver: silentForwardObserver,
  })
  const notes: { plugin: string; text: string }[] = []
  try {
    await Promise.race([generation.ready, generation.failed])
    const [listener] = generation.listeners
    const response = await listener?.respond({
      message,
      client: { address: client, port: 1 },
      local: { address: listener.host === '' ? '127.0.0.1' : listener.host, port: listener.port },
      transport,
      trace: { note: (plugin, text) => notes.push({ plugin, text }) },
    })
    return { response, notes }
  } finally {
    generation.close()
    ending.abort()
    await reactor.closed
  }
}
