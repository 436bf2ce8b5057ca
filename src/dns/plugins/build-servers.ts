import { parseAddress } from '../../net/address.ts'
import type { BlockSettings, Corefile } from '../corefile/check-corefile.ts'
import { refuse } from '../corefile/corefile-error.ts'
import type { ListenTransport } from '../corefile/server-key.ts'
import type { Token } from '../corefile/token.ts'
import type { DnsName } from '../wire/name.ts'
import { buildChain, type Chain } from './build-chain.ts'
import type { ChainParts } from './chain-parts.ts'
import { dnsServer, type Respond, type ServedZone } from './dns-server.ts'
import { queryLog } from './query-log.ts'

/** One address that is listened on. */
export interface ListenAddress {
  /** As in CoreDNS' metrics: `dns://:53`, `tls://10.0.0.10:853`. */
  readonly label: string
  readonly transport: ListenTransport
  /** Empty: every address. */
  readonly host: string
  readonly port: number
}

/** One address that is listened on, and what answers there. */
export interface DnsListener extends ListenAddress {
  readonly respond: Respond
  /** The blocks that are served here, each with its chain. */
  readonly blocks: readonly BuiltBlock[]
}

/** A server block and its plugins. */
export interface BuiltBlock {
  readonly settings: BlockSettings
  readonly chain: Chain
}

/** Builds every block of a Corefile once and spreads them over the addresses that they listen on. Throws a
 *  CorefileError when something that a directive names is not there. */
export function buildServers(corefile: Corefile, parts: ChainParts): readonly DnsListener[] {
  const listeners = new Map<string, Omit<DnsListener, 'respond'> & { zones: ServedZone[] }>()
  for (const settings of corefile.blocks) {
    const block: BuiltBlock = { settings, chain: buildChain(settings, parts) }
    for (const { zone, ...address } of zoneAddresses(settings, parts)) {
      const listener = listeners.get(address.label)
      const served = servedZone(block, zone, parts)
      if (listener === undefined) {
        listeners.set(address.label, { ...address, blocks: [block], zones: [served] })
        continue
      }
      const isNew = !listener.blocks.includes(block)
      const blocks = isNew ? [...listener.blocks, block] : listener.blocks
      listeners.set(address.label, { ...listener, blocks, zones: [...listener.zones, served] })
    }
  }
  return [...listeners.values()].map(({ zones, ...listener }) => ({
    ...listener,
    respond: dnsServer(listener.label, zones, parts.monotonicMs),
  }))
}

/** The addresses that a Corefile listens on, each once. Throws a CorefileError when one is not there. */
export function listenAddresses(
  { blocks }: Corefile,
  machine: Interfaces,
): readonly ListenAddress[] {
  const all = blocks.flatMap((settings) => zoneAddresses(settings, machine))
  return [...new Map(all.map((address) => [address.label, address])).values()]
}

type Interfaces = Pick<ChainParts, 'interfaceAddresses'>

/** Each zone of a block at each of its addresses. */
function zoneAddresses(
  settings: BlockSettings,
  machine: Interfaces,
): readonly (ListenAddress & { readonly zone: DnsName })[] {
  return listenHosts(settings, machine).flatMap((host) =>
    settings.keys.map(({ transport, port, zone }) => {
      const label = `${transport}://${host.includes(':') ? `[${host}]` : host}:${port}`
      return { label, transport, host, port, zone }
    }),
  )
}

function servedZone({ settings, chain }: BuiltBlock, zone: string, parts: ChainParts): ServedZone {
  const ednsCodes = (settings.settings.rewrite ?? []).flatMap(({ change }) =>
    change.kind === 'edns0' && 'code' in change.option ? change.option.code : [],
  )
  const rules = (settings.settings.log ?? []).flat()
  const logOf = queryLog(rules, (line) => parts.log.info({}, line))
  return { zone, chain, forwards: settings.settings.forward !== undefined, ednsCodes, logOf }
}

/** Addresses of the `bind` directives, interfaces resolved; the empty host without any. */
function listenHosts({ settings }: BlockSettings, parts: Interfaces): readonly string[] {
  if (settings.bind === undefined) return ['']
  const hosts = settings.bind.flatMap(({ listen, except }) => {
    const left = new Set(except.flatMap((token) => addressesOf(token, parts)))
    return listen.flatMap((token) => addressesOf(token, parts)).filter((host) => !left.has(host))
  })
  return [...new Set(hosts)]
}

function addressesOf(token: Token, parts: Interfaces): readonly string[] {
  const addresses = parts.interfaceAddresses(token.text)
  if (addresses !== undefined) return addresses
  const [address = '', link] = token.text.split('%')
  const parsed = parseAddress(address)
  if (parsed === undefined) {
    refuse(token, `${JSON.stringify(token.text)} is neither an address nor an interface here`)
  }
  return [link === undefined ? parsed.text : `${parsed.text}%${link}`]
}
