import { type Family, familyOf } from '../../net/address.ts'
import { serviceNameLabel } from '../decode-endpoint-slice.ts'
import type { Endpoint, EndpointPort, EndpointSlice, Service } from '../resources.ts'
import { contentVersion } from './content-version.ts'
import type { LegacyAddress, LegacyEndpoints } from './decode-endpoints.ts'
import type { ManifestPod } from './decode-pod.ts'

/** The slices that a legacy Endpoints object stands for: one per subset and address family. */
export function slicesOfEndpoints(
  endpoints: LegacyEndpoints,
  zoneOf: (nodeName: string) => string,
): readonly EndpointSlice[] {
  const groups = endpoints.subsets.map((subset) => ({
    ports: subset.ports,
    endpoints: [
      ...subset.ready.map((address) => legacyEndpoint(address, true, zoneOf)),
      ...subset.notReady.map((address) => legacyEndpoint(address, false, zoneOf)),
    ],
  }))
  return slicesOfGroups(endpoints, groups)
}

/** The slices that a controller would make for a service from these pods, which its selector
 *  matches. Pods that resolve a named target port to different numbers come into different
 *  slices. */
export function slicesOfPods(
  service: Service,
  pods: readonly ManifestPod[],
  zoneOf: (nodeName: string) => string,
): readonly EndpointSlice[] {
  const groups = new Map<string, EndpointGroup>()
  for (const pod of pods) {
    const ports = targetPorts(service, pod)
    const key = JSON.stringify(ports)
    const group = groups.get(key) ?? { ports, endpoints: [] }
    groups.set(key, group)
    for (const ip of pod.ips) group.endpoints.push(podEndpoint(service, pod, ip, zoneOf))
  }
  return slicesOfGroups(service, [...groups.values()])
}

interface EndpointGroup {
  readonly ports: readonly EndpointPort[]
  readonly endpoints: Endpoint[]
}

function legacyEndpoint(
  address: LegacyAddress,
  isReady: boolean,
  zoneOf: (nodeName: string) => string,
): Endpoint {
  return {
    address: address.ip,
    otherAddresses: [],
    hostname: address.hostname,
    state: {
      isReady,
      isServing: isReady,
      isTerminating: false,
      nodeName: address.nodeName,
      zone: zoneOf(address.nodeName),
      hintedZones: undefined,
      hintedNodes: undefined,
    },
  }
}

function podEndpoint(
  service: Service,
  pod: ManifestPod,
  ip: string,
  zoneOf: (nodeName: string) => string,
): Endpoint {
  return {
    address: ip,
    otherAddresses: [],
    hostname: pod.hostname,
    state: {
      isReady: service.publishNotReadyAddresses || (pod.isReady && !pod.isTerminating),
      isServing: service.publishNotReadyAddresses || pod.isReady,
      isTerminating: pod.isTerminating,
      nodeName: pod.nodeName,
      zone: zoneOf(pod.nodeName),
      hintedZones: undefined,
      hintedNodes: undefined,
    },
    podName: pod.name,
  }
}

/** A named target port that the pod does not have is left out, as the endpoint slice controller
 *  does. */
function targetPorts(service: Service, pod: ManifestPod): readonly EndpointPort[] {
  return service.ports.flatMap(({ name, protocol, targetPort }) => {
    if (typeof targetPort === 'number') return [{ name, protocol, port: targetPort }]
    const named = pod.ports.find((port) => port.name === targetPort && port.protocol === protocol)
    return named === undefined ? [] : [{ name, protocol, port: named.port }]
  })
}

function slicesOfGroups(
  owner: { readonly namespace: string; readonly name: string },
  groups: readonly EndpointGroup[],
): readonly EndpointSlice[] {
  return groups.flatMap((group, index) =>
    ([4, 6] as const).flatMap((family) => {
      const endpoints = group.endpoints.filter((endpoint) => isOfFamily(endpoint, family))
      return endpoints.length === 0
        ? []
        : [generatedSlice(owner, `${index}-ipv${family}`, family, endpoints, group.ports)]
    }),
  )
}

function isOfFamily(endpoint: Endpoint, family: Family): boolean {
  return familyOf(endpoint.address) === family
}

function generatedSlice(
  owner: { readonly namespace: string; readonly name: string },
  suffix: string,
  family: Family,
  endpoints: readonly Endpoint[],
  ports: readonly EndpointPort[],
): EndpointSlice {
  const slice: EndpointSlice = {
    kind: 'EndpointSlice',
    namespace: owner.namespace,
    name: `${owner.name}-generated-${suffix}`,
    labels: { [serviceNameLabel]: owner.name },
    annotations: {},
    resourceVersion: '',
    addressType: family === 4 ? 'IPv4' : 'IPv6',
    serviceName: owner.name,
    endpoints,
    ports,
  }
  return { ...slice, resourceVersion: contentVersion(slice) }
}
