import { type Family, readAddress } from '../net/address.ts'
import { fromByteString } from '../net/byte-string.ts'
import type { HostAddresses } from '../netlink/host-addresses.ts'
import type { NftablesConnection } from '../netlink/nftables/connection.ts'
import type { ServicePlan } from '../proxy/plan/plan.ts'
import { frontendKey as frontendName } from '../proxy/plan/plan.ts'
import { frontendKey, readHostWord } from '../ruleset/element-keys.ts'
import { readWholeTable, type WholeTable } from '../ruleset/whole-table.ts'
import { tableName } from './filter-rules.ts'
import type { IpvsConnection } from './ipvs-connection.ts'
import type { PresentServer } from './server-difference.ts'
import type { ShortCutMarks } from './short-cut-marks.ts'
import { formatDestination, formatServerKey, type VirtualServerKey } from './virtual-server.ts'

/** What tells virtual servers of ours from those of others. */
export interface OwnState {
  readonly filters: ReadonlyMap<Family, WholeTable>
  /** Addresses that are local for services. */
  readonly addresses: ReadonlySet<string>
  /** Marks that rules of ours set. */
  readonly marks: ReadonlySet<number>
}

/** Everything of ours, and what may be of ours, in the kernel. */
export interface KernelState extends OwnState {
  /** Every virtual server of the network namespace, by `formatServerKey`. */
  readonly servers: ReadonlyMap<string, PresentServer>
}

/** Both families, in the order in which they are read and written. */
export const families: readonly Family[] = [4, 6]

/** Reads all of it. */
export function readKernel(
  ipvs: IpvsConnection,
  nftables: NftablesConnection,
  serviceAddresses: HostAddresses,
): KernelState {
  const own = readOwnState(nftables, serviceAddresses)
  const servers = new Map<string, PresentServer>()
  for (const { server } of ipvs.listServers()) {
    const destinations = ipvs.listDestinations(server.key).map(({ address, port, weight }) => {
      const destination = { address, port, weight }
      return [formatDestination(destination), destination] as const
    })
    servers.set(formatServerKey(server.key), { server, destinations: new Map(destinations) })
  }
  return { ...own, servers }
}

/** Reads tables and addresses, without virtual servers. */
export function readOwnState(
  nftables: NftablesConnection,
  serviceAddresses: HostAddresses,
): OwnState {
  const filters = new Map<Family, WholeTable>()
  const known: string[] = []
  const marks = new Set<number>()
  for (const family of families) {
    const filter = readWholeTable(nftables, family === 4 ? 'ip' : 'ip6', tableName)
    if (filter === undefined) continue
    filters.set(family, filter)
    for (const key of filter.elements.get('service-addresses')?.keys() ?? []) {
      known.push(readAddress(fromByteString(key), 0, family))
    }
    for (const source of ['pod', 'node'] as const) {
      for (const { value } of filter.elements.get(`short-cuts-${source}`)?.values() ?? []) {
        if (value !== undefined) marks.add(readHostWord(value))
      }
    }
  }
  return { filters, addresses: serviceAddresses.present(known), marks }
}

/** Whether a virtual server of the kernel was made by us or by a proxy before us: it has an address of the
 *  service interface, a frontend of our table, or a mark of ours. */
export function isOurServer(
  key: VirtualServerKey,
  { filters, addresses, marks }: OwnState,
): boolean {
  if (key.kind === 'mark') return marks.has(key.mark)
  if (addresses.has(key.address)) return true
  const frontend = frontendKey(key.address, key.protocol, key.port)
  return filters.get(key.family)?.elements.get('frontends')?.has(frontend) ?? false
}

/** Gives frontends the marks that they have in the kernel, so that a restart changes nothing. */
export function adoptMarks(
  state: KernelState,
  services: Iterable<ServicePlan>,
  nodePortAddresses: readonly string[],
  marks: ShortCutMarks,
): void {
  for (const service of services) {
    for (const frontend of service.frontends) {
      const { family, protocol, port, address } = frontend
      const elements = state.filters.get(family)?.elements
      for (const each of address === undefined ? nodePortAddresses : [address]) {
        if (each.includes(':') !== (family === 6)) continue
        const key = frontendKey(each, protocol, port)
        for (const source of ['pod', 'node'] as const) {
          const value = elements?.get(`short-cuts-${source}`)?.get(key)?.value
          if (value !== undefined) marks.adopt(frontendName(frontend), readHostWord(value))
        }
      }
    }
  }
}
