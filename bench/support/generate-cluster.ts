import type { DecodePool } from '../../src/kube/decode-pool.ts'
import { decodeResource } from '../../src/kube/decode-resource.ts'
import type { EndpointSlice, Service } from '../../src/kube/resources.ts'

/** The size of a generated cluster. */
export interface ClusterSize {
  readonly services: number
  /** Endpoints of each service, at most 1,000 (one slice). */
  readonly endpoints: number
  /** Of all services; TCP if absent. */
  readonly protocol?: GeneratedProtocol
}

/** Protocols of generated services. */
export type GeneratedProtocol = 'TCP' | 'UDP'

/** Decoded objects of a generated cluster. */
export interface GeneratedCluster {
  readonly services: Service[]
  readonly slices: EndpointSlice[]
}

/** Namespace of all generated objects. */
export const generatedNamespace = 'portolan-bench'

/** Name of the node that the generated endpoints call local for every hundredth address. */
export const generatedNode = 'node-0'

/** Nodes that the endpoints are spread over. */
const nodeCount = 100

/** 10.96.0.0, cluster addresses; 10.128.0.0, endpoints. 2^20 and 2^22 addresses. */
const firstClusterAddress = 0x0a60_0000
const firstEndpointAddress = 0x0a80_0000

/** A cluster of services with one port and one slice each; the same size gives the same objects. */
export function generateCluster(size: ClusterSize, pool: DecodePool): GeneratedCluster {
  const indexes = Array.from({ length: size.services }, (_, index) => index)
  const slice = (index: number): unknown =>
    sliceJson(index, addressesOf(index, size.endpoints), '1', size.protocol)
  return {
    services: indexes.map((index) =>
      decodeResource('Service', serviceJson(index, size.protocol), pool),
    ),
    slices: indexes.map((index) => decodeResource('EndpointSlice', slice(index), pool)),
  }
}

/** Service number `index` as the API server sends it. */
export function serviceJson(
  index: number,
  protocol: GeneratedProtocol = 'TCP',
): Readonly<Record<string, unknown>> {
  const address = clusterAddress(index)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: generatedNamespace, name: nameOf(index), resourceVersion: '1' },
    spec: {
      type: 'ClusterIP',
      clusterIP: address,
      clusterIPs: [address],
      ipFamilies: ['IPv4'],
      ports: [{ name: 'http', protocol, port: 80, targetPort: 8080 }],
      selector: { app: nameOf(index) },
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    },
  }
}

/** The cluster address of service number `index`. */
export function clusterAddress(index: number): string {
  return formatIpv4(firstClusterAddress + 256 + index)
}

/** The endpoint slice of service number `index` with these addresses. */
export function sliceJson(
  index: number,
  addresses: readonly string[],
  resourceVersion = '1',
  protocol: GeneratedProtocol = 'TCP',
): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: generatedNamespace,
      name: `${nameOf(index)}-1`,
      resourceVersion,
      labels: { 'kubernetes.io/service-name': nameOf(index) },
    },
    addressType: 'IPv4',
    endpoints: addresses.map((address, position) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${(index + position) % nodeCount}`,
      targetRef: { kind: 'Pod', namespace: generatedNamespace, name: `pod-${position}` },
    })),
    ports: [{ name: 'http', protocol, port: 8080 }],
  }
}

/** The addresses of the endpoints of service number `index`; no two services share one. */
export function addressesOf(index: number, endpoints: number): string[] {
  return Array.from({ length: endpoints }, (_, position) =>
    formatIpv4(firstEndpointAddress + 256 + index * endpoints + position),
  )
}

/** An address that no generated endpoint has; `index` up to a million. */
export function replacementAddress(index: number): string {
  return formatIpv4(firstEndpointAddress + 2 ** 21 + index)
}

function nameOf(index: number): string {
  return `service-${index}`
}

function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.')
}
