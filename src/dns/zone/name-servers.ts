import type { KubernetesSettings } from '../corefile/decode-kubernetes.ts'
import type { DnsName } from '../wire/name.ts'
import type { ClusterNames } from './cluster-names.ts'
import { eachReadyAddress } from './cluster-names.ts'
import { endpointLabel, ownerOf } from './find-hosts.ts'
import { type Host, hostOf } from './host.ts'
import { nameInZone } from './zone-records.ts'

/** An address of a name server of the zone, with its full name. */
export interface NameServer {
  readonly name: DnsName
  readonly host: Host
}

/** The servers of the zone: the services whose endpoints this machine's addresses are (or the endpoints,
 *  when such a service is headless); where there are none, the addresses themselves under the name
 *  `ns.dns`. */
export function nameServers(
  names: ClusterNames,
  settings: KubernetesSettings,
  localAddresses: readonly string[],
  zone: DnsName,
): readonly NameServer[] {
  const slices = settings.hasEndpoints
    ? localAddresses.flatMap((address) => names.slicesAt(address))
    : []
  if (slices.length === 0) {
    return localAddresses.map((address) => server('ns.dns', address, zone))
  }
  return slices.flatMap((slice) => {
    const service = names.service(slice.namespace, slice.serviceName)
    if (service === undefined) return []
    if (!service.isHeadless) {
      return service.clusterIPs.map((address) => server(ownerOf(service), address, zone))
    }
    const servers: NameServer[] = []
    eachReadyAddress(slice, (address, endpoint) => {
      const label = endpointLabel(settings, endpoint, address)
      servers.push(server(`${label}.${ownerOf(service)}`, address, zone))
    })
    return servers
  })
}

function server(owner: string, address: string, zone: DnsName): NameServer {
  return { name: nameInZone(owner, zone), host: hostOf(address, 0, owner) }
}
