import { parseAddress } from '../../net/address.ts'
import type { DnsName } from '../wire/name.ts'
import { rcodes } from '../wire/numbers.ts'
import { type BlockContext, filePath } from './block-context.ts'
import { refuse, refuseUnknown } from './corefile-error.ts'
import {
  argumentOf,
  argumentsOf,
  decodeChoice,
  decodeDuration,
  decodeInteger,
  decodeOptions,
  isBare,
} from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import { decodeName, decodeZones } from './server-key.ts'
import type { Token } from './token.ts'

/** The `forward` directive. */
export interface ForwardSettings {
  /** Only names in this zone are forwarded. */
  readonly from: DnsName
  readonly to: readonly [ForwardTarget, ...ForwardTarget[]]
  /** Names in these zones are not. */
  readonly except: readonly DnsName[]
  readonly policy: ForwardPolicy
  readonly isTcpForced: boolean
  readonly isUdpPreferred: boolean
  /** Idle time after which a connection is closed. */
  readonly expireMs: number
  /** Failed checks after which an upstream is down; 0: it never is. */
  readonly maxFails: number
  readonly healthCheck: HealthCheck
  /** Queries at a time; 0: any number. */
  readonly maxConcurrent: number
  readonly tls: ForwardTls
  /** With these codes the next `forward` of the block is asked. */
  readonly nextRcodes: readonly number[]
  /** With these codes the next upstream is asked. */
  readonly failoverRcodes: readonly number[]
  /** When all upstreams are down, answer SERVFAIL instead of trying one. */
  readonly failsFast: boolean
}

/** An upstream, or the file (like resolv.conf) that lists them. */
export type ForwardTarget =
  | {
      readonly kind: 'server'
      readonly transport: UpstreamTransport
      readonly address: string
      readonly port: number
      /** Path of a DoH server; empty for the others. */
      readonly path: string
      readonly token: Token
    }
  | { readonly kind: 'file'; readonly path: string; readonly token: Token }

/** What is spoken with an upstream; `dns` is UDP and TCP. */
export type UpstreamTransport = 'dns' | 'tls' | 'https'

/** In which order upstreams are asked. */
export type ForwardPolicy = (typeof policies)[number]

/** How an upstream that failed is watched. */
export interface HealthCheck {
  readonly intervalMs: number
  readonly isRecursionDesired: boolean
  readonly domain: DnsName
}

/** TLS towards upstreams: paths of PEM files and the name in their certificates; empty: not given. */
export interface ForwardTls {
  readonly certificate: string
  readonly key: string
  readonly authority: string
  readonly serverName: string
}

const policies = ['random', 'round_robin', 'sequential'] as const
const upstreamPorts: Readonly<Record<UpstreamTransport, number>> = { dns: 53, tls: 853, https: 443 }

/** CoreDNS refuses more. */
const maxTargets = 15

/** Decodes `forward FROM TO... { ... }`. */
export function decodeForward(entry: Entry, context: BlockContext): ForwardSettings {
  const [from, ...targets] = argumentsOf(entry, { min: 2, max: maxTargets + 1 })
  const [first, ...rest] = targets.map((token) => decodeTarget(token, context))
  const [zone] = from === undefined ? [] : decodeZones(from)
  if (first === undefined || zone === undefined) {
    refuse(entry.words[0], 'forward needs a zone and upstreams')
  }
  let settings: ForwardSettings = { ...defaults, from: zone, to: [first, ...rest] }
  const set = (part: Partial<ForwardSettings>): void => {
    settings = { ...settings, ...part }
  }
  decodeOptions(entry, {
    except: (option) => {
      const zones = argumentsOf(option, { min: 1 }).flatMap(decodeZones)
      set({ except: [...settings.except, ...zones] })
    },
    policy: (option) => set({ policy: decodeChoice(argumentOf(option), policies) }),
    force_tcp: (option) => set({ isTcpForced: isBare(option) }),
    prefer_udp: (option) => set({ isUdpPreferred: isBare(option) }),
    expire: (option) => set({ expireMs: decodeDuration(argumentOf(option)) }),
    max_fails: (option) => set({ maxFails: decodeInteger(argumentOf(option), 0, 0xffffffff) }),
    health_check: (option) => set({ healthCheck: decodeHealthCheck(option) }),
    max_concurrent: (option) =>
      set({ maxConcurrent: decodeInteger(argumentOf(option), 0, Number.MAX_SAFE_INTEGER) }),
    tls: (option) => set({ tls: { ...settings.tls, ...decodeTlsFiles(option, context) } }),
    tls_servername: (option) =>
      set({ tls: { ...settings.tls, serverName: argumentOf(option).text } }),
    next: (option) => set({ nextRcodes: argumentsOf(option, { min: 1 }).map(decodeRcode) }),
    failover: (option) => set({ failoverRcodes: decodeFailover(option) }),
    failfast_all_unhealthy_upstreams: (option) => set({ failsFast: isBare(option) }),
  })
  return settings
}

/** A response code by its mnemonic, in any case. */
export function decodeRcode(token: Token): number {
  const code = (rcodes as Readonly<Record<string, number>>)[token.text.toUpperCase()]
  if (code === undefined) refuseUnknown(token, 'response code', Object.keys(rcodes))
  return code
}

const defaults: Omit<ForwardSettings, 'from' | 'to'> = {
  except: [],
  policy: 'random',
  isTcpForced: false,
  isUdpPreferred: false,
  expireMs: 10_000,
  maxFails: 2,
  healthCheck: { intervalMs: 500, isRecursionDesired: true, domain: '.' },
  maxConcurrent: 0,
  tls: { certificate: '', key: '', authority: '', serverName: '' },
  nextRcodes: [],
  failoverRcodes: [],
  failsFast: false,
}

function decodeTarget(token: Token, context: BlockContext): ForwardTarget {
  const match = /^(?:([a-z0-9]+):\/\/)?([^/]*|\/.*?)(\/.*)?$/s.exec(token.text)
  const [, transport = 'dns', host = '', path = ''] = match ?? []
  if (transport !== 'dns' && transport !== 'tls' && transport !== 'https') {
    refuse(token, `transport ${JSON.stringify(transport)} is not supported, use dns, tls or https`)
  }
  const server = parseHostPort(host)
  if (server !== undefined && (path === '' || transport === 'https')) {
    const { address, port = upstreamPorts[transport] } = server
    const queryPath = transport === 'https' ? path || '/dns-query' : ''
    return { kind: 'server', transport, address, port, path: queryPath, token }
  }
  if (transport !== 'dns' || !/[/.]/.test(token.text) || /^[0-9.:]+$/.test(token.text)) {
    const expected = 'expected an address, ADDRESS:PORT, or a file like /etc/resolv.conf'
    refuse(token, `got ${JSON.stringify(token.text)}, ${expected}`)
  }
  return { kind: 'file', path: filePath(token.text, context), token }
}

/** An address with or without port; the zone of a link-local address stays with it. */
export function parseHostPort(text: string): { address: string; port?: number } | undefined {
  const match =
    /^\[([^\]]+)\]:([0-9]{1,5})$/.exec(text) ?? /^([0-9.]+):([0-9]{1,5})$/.exec(text) ?? undefined
  const [host = '', linkZone] = (match?.[1] ?? text).split('%')
  const address = parseAddress(host)
  if (address === undefined) return undefined
  const whole = linkZone === undefined ? address.text : `${address.text}%${linkZone}`
  if (match === undefined) return { address: whole }
  const port = Number(match[2])
  return port > 0 && port < 65_536 ? { address: whole, port } : undefined
}

function decodeHealthCheck(option: Entry): HealthCheck {
  const [interval, ...words] = argumentsOf(option, { min: 1 })
  let check: HealthCheck = {
    intervalMs: interval === undefined ? 0 : decodeDuration(interval),
    isRecursionDesired: true,
    domain: '.',
  }
  for (let index = 0; index < words.length; index++) {
    const word = words[index]
    if (word === undefined) continue
    if (decodeChoice(word, ['no_rec', 'domain']) === 'no_rec') {
      check = { ...check, isRecursionDesired: false }
      continue
    }
    const domain = words[++index]
    if (domain === undefined) refuse(word, 'domain needs a name')
    check = { ...check, domain: decodeName(domain) }
  }
  return check
}

function decodeFailover(option: Entry): readonly number[] {
  return argumentsOf(option, { min: 1 }).map((token) => {
    const code = decodeRcode(token)
    if (code === rcodes.NOERROR) refuse(token, 'NOERROR is no reason to ask another upstream')
    return code
  })
}

/** Paths of `tls [CERTIFICATE KEY] [AUTHORITY]`. */
function decodeTlsFiles(option: Entry, context: BlockContext): Omit<ForwardTls, 'serverName'> {
  const paths = argumentsOf(option, { min: 0, max: 3 }).map(({ text }) => filePath(text, context))
  const [certificate = '', key = '', authority = ''] =
    paths.length === 1 ? ['', '', paths[0]] : paths
  return { certificate, key, authority }
}
