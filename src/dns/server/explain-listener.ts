import type { Transport } from '../chain/request.ts'
import type { DnsListener } from '../plugins/build-servers.ts'
import type { Response } from '../plugins/dns-server.ts'
import type { Message } from '../wire/message.ts'

/** Who asks, and how. */
export interface TracedQuery {
  readonly message: Message
  /** Canonical address of the client. */
  readonly client: string
  readonly transport: Transport
}

/** What a listener says, and why. */
export interface Explained {
  /** Undefined: it says nothing. */
  readonly response: Response | undefined
  readonly notes: readonly PluginNote[]
}

/** A decision of a plugin. */
export interface PluginNote {
  readonly plugin: string
  readonly text: string
}

/** Asks a listener without its sockets, and collects what its plugins decide, in order. The question is really
 *  asked: of upstreams too. */
export async function explainListener(
  { respond, host, port }: DnsListener,
  { message, client, transport }: TracedQuery,
): Promise<Explained> {
  const notes: PluginNote[] = []
  const response = await respond({
    message,
    client: { address: client, port: 1 },
    local: { address: host === '' ? '127.0.0.1' : host, port },
    transport,
    trace: { note: (plugin, text) => notes.push({ plugin, text }) },
  })
  return { response, notes }
}
