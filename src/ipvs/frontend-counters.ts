import { addressBytes, type Family, readAddress } from '../net/address.ts'
import { type ByteString, fromByteString } from '../net/byte-string.ts'
import { protocolOfNumber } from '../net/protocol.ts'
import type { FrontendCounters } from '../proxy/port/frontend-counters.ts'
import { readHostWord } from '../ruleset/element-keys.ts'
import type { ListedServer } from './ipvs-connection.ts'
import { isOurServer, type OwnState } from './kernel-state.ts'
import { formatServerKey, type VirtualServerKey } from './virtual-server.ts'

type AddressKey = Extract<VirtualServerKey, { readonly kind: 'address' }>

/** What IPVS has counted for each frontend of ours since its virtual server was made. Flows that a mark leads to
 *  other endpoints are counted by the mark's server: they belong to the frontend that sets the mark, and for
 *  a node port, which has it on each address, to the first of them. Pure. */
export function frontendCounters(
  servers: readonly ListedServer[],
  own: OwnState,
): readonly FrontendCounters[] {
  const setters = markSetters(own)
  const found = new Map<string, FrontendCounters>()
  for (const { server, statistics } of servers) {
    const { key } = server
    if (!isOurServer(key, own)) continue
    const frontend = key.kind === 'address' ? key : setters.get(markName(key.family, key.mark))
    if (frontend === undefined) continue
    const name = formatServerKey(frontend)
    const { protocol, address, port } = frontend
    const before = found.get(name)
    found.set(name, {
      protocol,
      address,
      port,
      connections: (before?.connections ?? 0n) + statistics.connections,
      packets: (before?.packets ?? 0n) + statistics.inboundPackets,
      bytes: (before?.bytes ?? 0n) + statistics.inboundBytes,
    })
  }
  return [...found.values()]
}

/** The frontend that sets a mark, by `markName`. */
function markSetters({ filters }: OwnState): ReadonlyMap<string, AddressKey> {
  const found = new Map<string, AddressKey>()
  for (const [family, { elements }] of filters) {
    for (const source of ['pod', 'node'] as const) {
      for (const [key, { value }] of elements.get(`short-cuts-${source}`) ?? []) {
        const frontend = readFrontendKey(key, family)
        if (value === undefined || frontend === undefined) continue
        const name = markName(family, readHostWord(value))
        if (!found.has(name)) found.set(name, frontend)
      }
    }
  }
  return found
}

function markName(family: Family, mark: number): string {
  return `${family} ${mark}`
}

/** Reads what `frontendKey` made; undefined for protocols that services cannot have. */
function readFrontendKey(key: ByteString, family: Family): AddressKey | undefined {
  const bytes = fromByteString(key)
  const at = addressBytes(family)
  const protocol = protocolOfNumber(bytes[at] ?? 0)
  if (protocol === undefined) return undefined
  const port = ((bytes[at + 4] ?? 0) << 8) | (bytes[at + 5] ?? 0)
  return { kind: 'address', family, protocol, address: readAddress(bytes, 0, family), port }
}
