import { systemClock } from '../../kube/clock.ts'
import type { Message } from '../wire/message.ts'
import { openUpstream } from './open-upstream.ts'
import { secureRandom } from './secure-random.ts'
import type { UdpEngine } from './udp-pool.ts'
import type { UpstreamProtocol } from './upstream.ts'

/** Asks a server one question. Rejects with an UpstreamError when it does not answer. */
export async function askAddress(
  server: { readonly address: string; readonly port: number },
  query: Message,
  protocol: UpstreamProtocol,
  reactor: UdpEngine,
): Promise<Message> {
  const upstream = openUpstream(
    { transport: 'dns', ...server, path: '' },
    {
      clock: systemClock,
      random: secureRandom,
      reactor,
      expireMs: 10_000,
      tls: { servername: undefined, ca: undefined, cert: undefined, key: undefined },
      randomizesCase: false,
    },
  )
  try {
    return await upstream.exchange(query, protocol)
  } finally {
    upstream.close()
  }
}
