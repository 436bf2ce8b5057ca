import type { GeneratedProtocol } from '../support/generate-cluster.ts'
import type { Destination } from './lane.ts'

/** Rules of the original that somebody recorded: an iptables-save, or what `nft list ruleset` prints with or
 *  without `-j`. */
export interface PeerRules {
  /** The program that loads them from its standard input, with its arguments. */
  readonly loader: readonly [string, ...string[]]
  /** What it gets. */
  readonly input: string
  /** Services of the protocol on addresses, in the order of the rules. */
  readonly destinations: readonly Destination[]
  /** Ports of all endpoints. */
  readonly ports: ReadonlySet<number>
}

/** Patterns have PROTOCOL where the rules have the protocol's name. */
interface Form {
  readonly loader: PeerRules['loader']
  readonly destination: RegExp
  readonly endpointPort: RegExp
}

/** nft opens its standard input by name, which a pipe allows and the socket of a child process does not. */
const forms = {
  save: {
    loader: ['iptables-nft-restore'],
    destination:
      /^-A KUBE-SERVICES -d ([\d.]+)\/32 -p PROTOCOL .*--dport (\d+) -j KUBE-(?:SVC|EXT)-/gm,
    endpointPort: /--to-destination [\d.]+:(\d+)/g,
  },
  nftJson: {
    loader: ['sh', '-c', 'cat | nft -j -f -'],
    destination:
      /\["([\d.]+)",\s*"PROTOCOL",\s*(\d+)\]\s*\},\s*\{\s*"goto":\s*\{\s*"target":\s*"(?:service|external)-/g,
    endpointPort: /"concat":\s*\["[\d.]+",\s*(\d+)\]/g,
  },
  nft: {
    loader: ['sh', '-c', 'cat | nft -f -'],
    destination: /([\d.]+) \. PROTOCOL \. (\d+)(?: comment "[^"]*")? : goto (?:service|external)-/g,
    endpointPort: /[\d.]+ \. (\d+)\b/g,
  },
} as const satisfies Readonly<Record<string, Form>>

/** Finds the services of recorded rules. Throws when there is none. */
export function parsePeerRules(text: string, file: string, protocol: GeneratedProtocol): PeerRules {
  const form = formOf(text)
  const { loader, destination, endpointPort } = forms[form]
  const pattern = destination.source.replace('PROTOCOL', protocol.toLowerCase())
  const destinations = [...text.matchAll(new RegExp(pattern, 'gm'))].map(
    ([, address = '', port]) => {
      return { address, port: Number(port) }
    },
  )
  if (destinations.length === 0) {
    throw new Error(
      `${file}: has no ${protocol} service of kube-proxy; expected an iptables-save or nft list`,
    )
  }
  const ports = new Set([...text.matchAll(endpointPort)].map(([, port]) => Number(port)))
  return { loader, input: inputOf(text, form), destinations, ports }
}

function formOf(text: string): keyof typeof forms {
  if (text.trimStart().startsWith('{')) return 'nftJson'
  return /^\*\w+$/m.test(text) ? 'save' : 'nft'
}

function inputOf(text: string, form: keyof typeof forms): string {
  // It only counts, and not every kernel has it.
  if (form === 'save') return text.replaceAll(/ -m nfacct --nfacct-name +\S+/g, '')
  return form === 'nft' ? text : inOrder(text)
}

/** Objects that others name come first; nft lists them in another order than it takes them. */
const kinds = ['metainfo', 'table', 'chain', 'set', 'map', 'element', 'rule']

function inOrder(text: string): string {
  const document: { nftables: Readonly<Record<string, unknown>>[] } = JSON.parse(text)
  const rank = (object: Readonly<Record<string, unknown>>): number =>
    kinds.indexOf(Object.keys(object)[0] ?? '')
  const nftables = document.nftables.toSorted((left, right) => rank(left) - rank(right))
  return JSON.stringify({ nftables })
}
