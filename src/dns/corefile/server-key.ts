import { type DnsName, nameKey, parseName } from '../wire/name.ts'
import { refuse } from './corefile-error.ts'
import { reverseZones } from './reverse-zones.ts'
import type { Token } from './token.ts'

/** One zone that a server block serves, and where it listens for it. */
export interface ServerKey {
  /** In lower case. */
  readonly zone: DnsName
  readonly port: number
  readonly transport: ListenTransport
  readonly token: Token
}

/** What a listener speaks: DNS over UDP and TCP, over TLS, over HTTPS. */
export type ListenTransport = 'dns' | 'tls' | 'https'

/** Ports of keys without one. */
const defaultPorts: Readonly<Record<ListenTransport, number>> = { dns: 53, tls: 853, https: 443 }

const foreignTransports = ['grpc', 'quic', 'unix', 'https3']

/** Decodes the key of a server block: `[TRANSPORT://]ZONE[:PORT]`, where the zone is a name or a network
 *  in prefix form that stands for its reverse zones. */
export function decodeServerKey(token: Token, defaultPort: number): readonly ServerKey[] {
  const { transport, rest } = splitTransport(token)
  const { hosts, port } = splitZonePort(token, rest)
  const fallback = transport === 'dns' ? defaultPort : defaultPorts[transport]
  return hosts.map((zone) => ({ zone, port: port ?? fallback, transport, token }))
}

/** The zones that a word means, without transport and port: a name, or a network's reverse zones. */
export function decodeZones(token: Token): readonly DnsName[] {
  return splitZonePort(token, token.text.replace(/^(?:dns|tls|https):\/\//, '')).hosts
}

/** The zones that the words mean, or the block's own when there are none. */
export function zonesOrDefault(
  tokens: readonly Token[],
  blockZones: readonly DnsName[],
): readonly DnsName[] {
  return tokens.length === 0 ? blockZones : tokens.flatMap(decodeZones)
}

/** One name, in lower case. */
export function decodeName(token: Token): DnsName {
  const name = parseName(token.text)
  if (name === undefined) refuse(token, `${JSON.stringify(token.text)} is not a domain name`)
  return nameKey(name)
}

function splitTransport(token: Token): { transport: ListenTransport; rest: string } {
  const match = /^([a-z0-9]+):\/\/(.*)$/s.exec(token.text)
  if (match === null) return { transport: 'dns', rest: token.text }
  const [, transport = '', rest = ''] = match
  if (transport === 'dns' || transport === 'tls' || transport === 'https') {
    return { transport, rest }
  }
  const reason = foreignTransports.includes(transport) ? 'is not supported' : 'is not known'
  refuse(token, `transport ${JSON.stringify(transport)} ${reason}, use dns, tls or https`)
}

function splitZonePort(token: Token, text: string): { hosts: readonly DnsName[]; port?: number } {
  const match = /^(.*?)(?::([0-9]+))?$/s.exec(text)
  const host = match?.[1] ?? ''
  const port = match?.[2] === undefined ? undefined : Number(match[2])
  if (port !== undefined && port > 65_535) refuse(token, `port ${port} is over 65535`)
  if (text.endsWith(':')) refuse(token, 'a port must follow the colon')
  const hosts = host.includes('/') ? reverseZones(host) : [parseZone(host)]
  const [first] = hosts
  if (first === undefined) {
    refuse(token, `${JSON.stringify(host)} is neither a domain name nor a network`)
  }
  const names = hosts.map((name) => (name === undefined ? first : nameKey(name)))
  return port === undefined ? { hosts: names } : { hosts: names, port }
}

function parseZone(host: string): DnsName | undefined {
  return host.includes(':') ? undefined : parseName(host)
}
