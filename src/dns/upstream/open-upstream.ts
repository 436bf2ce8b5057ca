import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '../../kube/clock.ts'
import type { Message } from '../wire/message.ts'
import { HttpsExchange, type HttpsTls } from './https-exchange.ts'
import { withRandomCase } from './query-case.ts'
import { SharedQueries } from './shared-queries.ts'
import { StreamPool } from './stream-pool.ts'
import { type UdpEngine, UdpPool } from './udp-pool.ts'
import type { Upstream, UpstreamProtocol } from './upstream.ts'

/** Which server, and how it is spoken with. */
export interface UpstreamTarget {
  readonly transport: 'dns' | 'tls' | 'https'
  /** Canonical; a link-local one may have its zone. */
  readonly address: string
  readonly port: number
  /** Path of a DoH server. */
  readonly path: string
}

/** What an upstream works with. */
export interface UpstreamInputs {
  readonly clock: Clock
  /** See `secureRandom`. */
  readonly random: () => number
  /** Carries queries over UDP. */
  readonly reactor: UdpEngine
  readonly expireMs: number
  /** For DoT and DoH. */
  readonly tls: UpstreamTls
  /** Letters of names are sent in random case, and replies must repeat it. */
  readonly randomizesCase: boolean
}

/** TLS towards an upstream, PEM texts read. Undefined members are not given. */
export interface UpstreamTls {
  readonly servername: string | undefined
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** One way to send a query and get its reply. */
interface Exchange {
  exchange(query: Message): Promise<Message>
  close(): void
}

/** Opens an upstream. Connections are made when they are needed, and closed when they are idle. */
export function openUpstream(target: UpstreamTarget, inputs: UpstreamInputs): Upstream {
  const label = labelOf(target)
  const ways = openWays(target, label, inputs)
  const shared = new SharedQueries((query, protocol) => {
    const sent = inputs.randomizesCase ? withRandomCase(query, inputs.random) : query
    return ways[protocol].exchange(sent)
  })
  return {
    label,
    exchange: (query, protocol) => shared.exchange(query, protocol),
    close() {
      for (const way of new Set([ways.udp, ways.tcp])) way.close()
    },
  }
}

function openWays(
  target: UpstreamTarget,
  label: string,
  inputs: UpstreamInputs,
): Readonly<Record<UpstreamProtocol, Exchange>> {
  const { address, port, path } = target
  const { clock, random, reactor, expireMs } = inputs
  const tls = tlsOptions(inputs.tls)
  switch (target.transport) {
    case 'dns': {
      const connect = () => ({ stream: connectTcp({ host: address, port }), ready: 'connect' })
      return {
        udp: new UdpPool({ label, address, port, clock, random, reactor, expireMs }),
        tcp: new StreamPool({ label, clock, random, expireMs, connect }),
      }
    }
    case 'tls': {
      const connect = () => ({
        stream: connectTls({ ...tls, host: address, port }),
        ready: 'secureConnect',
      })
      const pool = new StreamPool({ label, clock, random, expireMs, connect })
      return { udp: pool, tcp: pool }
    }
    case 'https': {
      const https = new HttpsExchange({ label, address, port, path, expireMs, tls })
      return { udp: https, tcp: https }
    }
  }
}

function tlsOptions({ servername, ca, cert, key }: UpstreamTls): HttpsTls {
  return {
    minVersion: 'TLSv1.2',
    ...(servername !== undefined && { servername }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
  }
}

function labelOf({ transport, address, port, path }: UpstreamTarget): string {
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return transport === 'dns' ? place : `${transport}://${place}${path}`
}
