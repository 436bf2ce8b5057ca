import type { Service } from '../../kube/resources.ts'
import type { ResourceRecord } from '../wire/message.ts'
import type { DnsName } from '../wire/name.ts'
import type { ZoneView } from './answer-question.ts'
import { eachEndpoint, endpointLabel, isExposed, ownerOf, slicePorts } from './find-hosts.ts'
import { hostOf } from './host.ts'
import { nameServers } from './name-servers.ts'
import { isReverseZone } from './reverse-name.ts'
import {
  addressRecord,
  aliasRecord,
  nameInZone,
  nameServerRecord,
  serviceRecord,
  shareOfWeight,
  soaRecord,
} from './zone-records.ts'

/** All records of a zone for AXFR (RFC 5936), services in the order of their names: between two SOA records
 *  the name servers, then what each service and its endpoints are called. Reverse zones hold only the
 *  first part: their names are computed, not listed, as in CoreDNS. */
export function* transferZone(view: ZoneView, zone: DnsName): Generator<ResourceRecord> {
  const { names, settings } = view
  const soa = soaRecord(zone, names.serial, settings.ttlSeconds)
  yield soa
  const servers = nameServers(names, settings, view.localAddresses(), zone)
  for (const target of new Set(servers.map(({ name }) => name))) {
    yield nameServerRecord(zone, target, settings.ttlSeconds)
  }
  for (const { name, host } of servers) yield addressRecord(name, host, settings.ttlSeconds)
  const listed = isReverseZone(zone.toLowerCase()) ? [] : names.services()
  const services = [...listed].sort((one, other) => (one.name < other.name ? -1 : 1))
  for (const service of services) {
    if (isExposed(names, settings, service.namespace)) yield* transferService(view, zone, service)
  }
  yield soa
}

function transferService(view: ZoneView, zone: DnsName, service: Service): ResourceRecord[] {
  if (service.type === 'ExternalName') return transferAlias(view, zone, service)
  return service.isHeadless
    ? transferEndpoints(view, zone, service)
    : transferClusterAddresses(view, zone, service)
}

function transferAlias(view: ZoneView, zone: DnsName, service: Service): ResourceRecord[] {
  const owner = ownerOf(service)
  const host = hostOf(service.externalName, 0, owner)
  const alias = aliasRecord(nameInZone(owner, zone), host, view.settings.ttlSeconds)
  return host.kind !== 'CNAME' || alias === undefined ? [] : [alias]
}

function transferClusterAddresses(
  view: ZoneView,
  zone: DnsName,
  service: Service,
): ResourceRecord[] {
  const ttl = view.settings.ttlSeconds
  const owner = ownerOf(service)
  const name = nameInZone(owner, zone)
  const records = service.clusterIPs.map((address) =>
    addressRecord(name, hostOf(address, 0, owner), ttl),
  )
  for (const port of service.ports) {
    records.push(serviceRecord(name, name, port.port, 100, ttl))
    if (port.name === '') continue
    records.push(serviceRecord(portName(port, name), name, port.port, 100, ttl))
  }
  return records
}

function transferEndpoints(view: ZoneView, zone: DnsName, service: Service): ResourceRecord[] {
  const { names, settings } = view
  const ttl = settings.ttlSeconds
  const owner = ownerOf(service)
  const name = nameInZone(owner, zone)
  const records: ResourceRecord[] = []
  eachEndpoint(names, settings, service, (slice, endpoint, address) => {
    const host = hostOf(address, 0, owner)
    if (host.kind === 'CNAME') return
    const target = nameInZone(`${endpointLabel(settings, endpoint, address)}.${owner}`, zone)
    records.push(addressRecord(name, host, ttl), addressRecord(target, host, ttl))
    const readyCount = slice.endpoints.filter(({ state }) => state.isReady).length
    const weight = shareOfWeight(readyCount)
    for (const port of slicePorts(slice)) {
      if (port.name === '' || port.port === undefined) continue
      records.push(serviceRecord(portName(port, name), target, port.port, weight, ttl))
    }
  })
  return records
}

/** `_http._tcp.NAME`. */
function portName(
  port: { readonly name: string; readonly protocol: string },
  name: DnsName,
): DnsName {
  return `_${port.name}._${port.protocol}.`.toLowerCase() + name
}
