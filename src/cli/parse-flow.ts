import { parseAddress } from '../net/address.ts'
import type { Flow } from '../net/flow.ts'
import { type Protocol, protocols } from '../net/protocol.ts'
import { usageError } from './cli-error.ts'

/** The words of `portolan trace FROM TO`. */
export interface FlowWords {
  /** `10.244.1.5`, `10.244.1.5:40000`, `[fd00::5]:40000`. */
  readonly from: string
  /** `10.96.0.10:80/tcp`, `[fd00::10]:53/udp`; without a protocol TCP. */
  readonly to: string
  /** Interface through which it comes; undefined: not known. */
  readonly inputInterface: string | undefined
}

/** A client's port when none is given: any of the dynamic range (RFC 6335) does. */
const clientPort = 49_152

/** Decodes a flow. Sources among the node's own addresses are processes of the node. Throws a usage error
 *  that names the word. */
export function parseFlow(words: FlowWords, localAddresses: readonly string[]): Flow {
  const from = parseEndpoint(words.from)
  if (from === undefined) {
    throw usageError(`FROM: got "${words.from}", expected an address, with a port or without`)
  }
  const slash = words.to.lastIndexOf('/')
  const to = parseEndpoint(slash < 0 ? words.to : words.to.slice(0, slash))
  if (to?.port === undefined) {
    throw usageError(`TO: got "${words.to}", expected address:port/protocol (10.96.0.10:80/tcp)`)
  }
  if (from.family !== to.family) {
    throw usageError(`FROM ${words.from} and TO ${words.to}: both must be IPv4 or both IPv6`)
  }
  const isLocal =
    localAddresses.includes(from.address) ||
    from.address.startsWith('127.') ||
    from.address === '::1'
  return {
    family: from.family,
    protocol: parseProtocol(slash < 0 ? 'tcp' : words.to.slice(slash + 1), words.to),
    source: from.address,
    sourcePort: from.port ?? clientPort,
    destination: to.address,
    destinationPort: to.port,
    origin: isLocal ? 'local' : 'received',
    ...(words.inputInterface === undefined ? {} : { inputInterface: words.inputInterface }),
  }
}

interface FlowEnd {
  readonly family: 4 | 6
  readonly address: string
  readonly port: number | undefined
}

function parseEndpoint(text: string): FlowEnd | undefined {
  const alone = parseAddress(text)
  if (alone !== undefined) return { family: alone.family, address: alone.text, port: undefined }
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  const address = parseAddress(match?.[1] ?? match?.[2] ?? '')
  const port = match?.[3] === undefined ? undefined : Number(match[3])
  if (address === undefined || (port !== undefined && (port < 1 || port > 65_535))) return undefined
  return { family: address.family, address: address.text, port }
}

function parseProtocol(word: string, to: string): Protocol {
  const found = protocols.find((protocol) => protocol === word.toUpperCase())
  if (found !== undefined) return found
  throw usageError(`TO: got "${to}", expected the protocol tcp, udp or sctp after the slash`)
}
