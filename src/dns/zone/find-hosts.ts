import type { Endpoint, EndpointPort, EndpointSlice, Service } from '../../kube/resources.ts'
import { parseAddress } from '../../net/address.ts'
import type { KubernetesSettings } from '../corefile/decode-kubernetes.ts'
import type { DnsName } from '../wire/name.ts'
import { type ClusterNames, eachReadyAddress } from './cluster-names.ts'
import { type Host, hostOf } from './host.ts'
import { readQueryName, type ServiceQuery } from './query-name.ts'
import { reverseFamily } from './reverse-name.ts'

/** The hosts that a lower-case name in the zone stands for, by the Kubernetes DNS specification 1.1.0 and
 *  as CoreDNS reads it: empty when the name is there without data (NODATA), undefined when there is
 *  no such name (NXDOMAIN). */
export function findHosts(
  names: ClusterNames,
  settings: KubernetesSettings,
  name: DnsName,
  zone: DnsName,
): readonly Host[] | undefined {
  const query = readQueryName(name, zone)
  if (query.kind === 'node') return []
  if (query.kind === 'invalid' || reverseFamily(name) !== undefined) return undefined
  if (!isExposed(names, settings, query.namespace)) return undefined
  if (query.kind === 'namespace') {
    return query.branch === 'pod' && settings.pods === 'disabled' ? undefined : []
  }
  if (query.kind === 'pod') return findPods(names, settings, query.namespace, query.pod)
  return findServices(names, settings, query)
}

/** Whether the names of a namespace are served: it exists, and the directive does not leave it out. */
export function isExposed(
  names: ClusterNames,
  settings: KubernetesSettings,
  namespace: string,
): boolean {
  const { namespaces } = settings
  if (namespaces !== undefined && !namespaces.includes(namespace)) return false
  return names.hasNamespace(namespace)
}

/** The label of an endpoint: its host name, else its pod's name where that is wanted and short enough for
 *  a label, else its address with dashes. An address that ends in `::` gets a zero, because no label
 *  may end in a dash. */
export function endpointLabel(
  settings: KubernetesSettings,
  endpoint: Endpoint,
  address: string,
): string {
  if (endpoint.hostname !== '') return endpoint.hostname
  const { podName = '' } = endpoint
  if (settings.hasEndpointPodNames && podName !== '' && podName.length < 64) return podName
  const dashed = address.replaceAll(address.includes('.') ? '.' : ':', '-')
  return dashed.endsWith('-') ? `${dashed}0` : dashed
}

/** `10-0-0-1` and `fd00--1`: the address is taken as it is written, only its canonical form is found among
 *  pods, and any form counts where pods are not checked. */
function findPods(
  names: ClusterNames,
  settings: KubernetesSettings,
  namespace: string,
  pod: string,
): readonly Host[] | undefined {
  if (settings.pods === 'disabled') return undefined
  const isIpv4 = /^[^-]*(?:-[^-]+){3}$/.test(pod) && !pod.startsWith('-')
  const text = pod.replaceAll('-', isIpv4 ? '.' : ':')
  const host = hostOf(text, 0, `${pod}.${namespace}.pod`)
  if (settings.pods === 'insecure') return host.kind === 'CNAME' ? undefined : [host]
  const pods = names.podsAt(text).filter((found) => found.namespace === namespace)
  return pods.length === 0 ? undefined : [host]
}

function findServices(
  names: ClusterNames,
  settings: KubernetesSettings,
  query: ServiceQuery,
): readonly Host[] | undefined {
  const service = names.service(query.namespace, query.service)
  if (service === undefined) return undefined
  if (service.type === 'ExternalName') return externalHosts(service, query)
  if (settings.ignoresEmptyService && !service.isHeadless && isEmpty(names, settings, service)) {
    return undefined
  }
  return service.isHeadless || query.endpoint !== ''
    ? endpointHosts(names, settings, service, query)
    : clusterHosts(service, query)
}

/** An external name that is an address gives no name at all, as in CoreDNS. */
function externalHosts(service: Service, query: ServiceQuery): readonly Host[] | undefined {
  if (query.endpoint !== '' || query.port !== '' || query.protocol !== '') return undefined
  if (parseAddress(service.externalName) !== undefined) return undefined
  return [{ kind: 'CNAME', text: service.externalName, port: 0, owner: ownerOf(service) }]
}

/** Ports that share an address name it once each; a service without ports has one that no SRV record
 *  is made of. */
function clusterHosts(service: Service, query: ServiceQuery): readonly Host[] | undefined {
  const ports = service.ports.length === 0 ? [noPort] : service.ports
  const matching = ports.filter((port) => isWanted(query, port))
  if (matching.length === 0) return undefined
  return matching.flatMap(({ port = -1 }) =>
    service.clusterIPs.map((address) => hostOf(address, port, ownerOf(service))),
  )
}

function endpointHosts(
  names: ClusterNames,
  settings: KubernetesSettings,
  service: Service,
  query: ServiceQuery,
): readonly Host[] | undefined {
  const hosts: Host[] = []
  eachEndpoint(names, settings, service, (slice, endpoint, address) => {
    const label = endpointLabel(settings, endpoint, address)
    if (query.endpoint !== '' && query.endpoint !== label.toLowerCase()) return
    for (const port of slicePorts(slice)) {
      if (!isWanted(query, port)) continue
      hosts.push(hostOf(address, port.port ?? -1, `${label}.${ownerOf(service)}`))
    }
  })
  return hosts.length === 0 ? undefined : hosts
}

/** Calls `visit` for every address of the service that has a name. */
export function eachEndpoint(
  names: ClusterNames,
  settings: KubernetesSettings,
  service: Service,
  visit: (slice: EndpointSlice, endpoint: Endpoint, address: string) => void,
): void {
  if (!settings.hasEndpoints) return
  for (const slice of names.slicesOf(service)) {
    eachReadyAddress(slice, (address, endpoint) => visit(slice, endpoint, address))
  }
}

/** The ports of a slice; one without number or name when it has none. */
export function slicePorts(slice: EndpointSlice): readonly PortName[] {
  return slice.ports.length === 0 ? [noPort] : slice.ports
}

function isEmpty(names: ClusterNames, settings: KubernetesSettings, service: Service): boolean {
  let count = 0
  eachEndpoint(names, settings, service, () => count++)
  return count === 0
}

type PortName = Pick<EndpointPort, 'name' | 'port'> & { readonly protocol: string }

const noPort: PortName = { name: '', protocol: '', port: undefined }

function isWanted(query: ServiceQuery, port: PortName): boolean {
  return (
    (query.port === '' || query.port === port.name.toLowerCase()) &&
    (query.protocol === '' || query.protocol === port.protocol.toLowerCase())
  )
}

/** The name of a service below its zone. */
export function ownerOf(service: Pick<Service, 'name' | 'namespace'>): string {
  return `${service.name}.${service.namespace}.svc`
}
