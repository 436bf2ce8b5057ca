import type { Protocol } from '../net/protocol.ts'

/** What every consumed object has. Names and labels are as the API server stores them. */
export interface ResourceMeta {
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly resourceVersion: string
}

/** core/v1 ServicePort, the part that a proxy needs. */
export interface ServicePort {
  /** Empty for the only port of a service. */
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
  /** 0: none. */
  readonly nodePort: number
  /** Only manifests need it (endpoint slices are generated from it). */
  readonly targetPort: number | string
  readonly appProtocol?: string
}

/** One entry of status.loadBalancer.ingress with an IP. */
export interface LoadBalancerIngress {
  /** Canonical address. */
  readonly ip: string
  readonly ipMode: 'VIP' | 'Proxy'
}

/** core/v1 Service. Addresses are canonical; what does not apply is empty. */
export interface Service extends ResourceMeta {
  readonly kind: 'Service'
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
  /** Empty for headless ("None") and ExternalName services. */
  readonly clusterIPs: readonly string[]
  readonly isHeadless: boolean
  readonly externalName: string
  readonly externalIPs: readonly string[]
  readonly loadBalancerIngress: readonly LoadBalancerIngress[]
  /** Prefixes as text, trimmed; the plan parses them and ignores the other family's. */
  readonly loadBalancerSourceRanges: readonly string[]
  readonly loadBalancerClass: string
  readonly ports: readonly ServicePort[]
  readonly selector: Readonly<Record<string, string>>
  readonly sessionAffinity: 'None' | 'ClientIP'
  /** Seconds; meaningful with ClientIP. */
  readonly sessionAffinityTimeoutSeconds: number
  readonly externalTrafficPolicy: 'Cluster' | 'Local'
  readonly internalTrafficPolicy: 'Cluster' | 'Local'
  readonly trafficDistribution: string
  /** 0: none. */
  readonly healthCheckNodePort: number
  readonly publishNotReadyAddresses: boolean
}

/** The part of a discovery.k8s.io/v1 Endpoint that many endpoints have in common: sources share one
 *  object among all endpoints of a node that are equal in it. */
export interface EndpointState {
  /** Absent conditions are already resolved (ready and serving: true). */
  readonly isReady: boolean
  readonly isServing: boolean
  readonly isTerminating: boolean
  /** Empty: unknown. */
  readonly nodeName: string
  readonly zone: string
  /** hints.forZones[].name; undefined when there are no zone hints. */
  readonly hintedZones: readonly string[] | undefined
  /** hints.forNodes[].name; undefined when there are no node hints. */
  readonly hintedNodes: readonly string[] | undefined
}

/** discovery.k8s.io/v1 Endpoint. A cluster has hundreds of thousands: it is kept small. */
export interface Endpoint {
  /** The first address, canonical: the only one that proxies use. */
  readonly address: string
  readonly otherAddresses: readonly string[]
  readonly hostname: string
  readonly state: EndpointState
  /** targetRef.name when it is a pod; only kept by sources that were asked to. */
  readonly podName?: string
}

/** discovery.k8s.io/v1 EndpointPort. */
export interface EndpointPort {
  readonly name: string
  readonly protocol: Protocol
  /** Undefined: all ports (not usable for a proxy). */
  readonly port: number | undefined
}

/** discovery.k8s.io/v1 EndpointSlice. */
export interface EndpointSlice extends ResourceMeta {
  readonly kind: 'EndpointSlice'
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  /** Label kubernetes.io/service-name; empty when it is absent. */
  readonly serviceName: string
  readonly endpoints: readonly Endpoint[]
  readonly ports: readonly EndpointPort[]
}

/** core/v1 Node, the part that a proxy needs. */
export interface Node extends ResourceMeta {
  readonly kind: 'Node'
  /** status.addresses of type InternalIP, then ExternalIP; canonical. */
  readonly addresses: readonly string[]
  /** spec.podCIDRs as text. */
  readonly podCIDRs: readonly string[]
  /** It is being deleted, or the cluster autoscaler will delete it (taint
   *  ToBeDeletedByClusterAutoscaler). */
  readonly isLeaving?: boolean
}

/** networking.k8s.io/v1 ServiceCIDR: ranges that cluster addresses are given from. */
export interface ServiceCIDR extends ResourceMeta {
  readonly kind: 'ServiceCIDR'
  /** spec.cidrs as text: one of each family at most. */
  readonly cidrs: readonly string[]
}

/** core/v1 Namespace. */
export interface Namespace extends ResourceMeta {
  readonly kind: 'Namespace'
}

/** core/v1 Pod, the part that names it. */
export interface Pod extends ResourceMeta {
  readonly kind: 'Pod'
  /** status.podIPs, canonical, the primary one first; empty: it does not run yet, or has ended. */
  readonly ips: readonly string[]
  /** It is being deleted. */
  readonly isTerminating: boolean
}

/** The consumed kinds and their decoded types. */
export interface Resources {
  Service: Service
  EndpointSlice: EndpointSlice
  Node: Node
  ServiceCIDR: ServiceCIDR
  Namespace: Namespace
  Pod: Pod
}

/** Name of a consumed kind. */
export type Kind = keyof Resources

/** Kinds whose objects are in no namespace. */
export const clusterScoped: ReadonlySet<string> = new Set<Kind>([
  'Node',
  'ServiceCIDR',
  'Namespace',
])

/** `namespace/name`; only the name for cluster-scoped objects. */
export function resourceKey(object: { readonly namespace: string; readonly name: string }): string {
  return object.namespace === '' ? object.name : `${object.namespace}/${object.name}`
}
