import type { EndpointSlice, Node, Service, ServiceCIDR } from '../kube/resources.ts'
import { type ClusterSource, Store } from '../kube/store.ts'

/** What a node proxy needs of the cluster, kept up to date. */
export interface ClusterStores {
  readonly services: Store<Service>
  readonly slices: Store<EndpointSlice>
  /** This node only. */
  readonly nodes: Store<Node>
  readonly serviceCidrs: Store<ServiceCIDR>
  /** Resolves when the signal is aborted; rejects when a watch cannot go on. */
  readonly ended: Promise<void>
}

/** Labels with which a service asks to be left alone: another proxy serves it, or nobody (headless). */
const noProxyName = '!service.kubernetes.io/service-proxy-name'
const noHeadless = '!service.kubernetes.io/headless'

/** Watches Services, EndpointSlices, ServiceCIDRs and the Node of this name until the signal is aborted. */
export function watchCluster(
  source: ClusterSource,
  nodeName: string,
  signal: AbortSignal,
): ClusterStores {
  const services = new Store<Service>()
  const slices = new Store<EndpointSlice>()
  const nodes = new Store<Node>()
  const serviceCidrs = new Store<ServiceCIDR>()
  const watches = [
    source.watch('Service', { labelSelector: noProxyName }, services, signal),
    source.watch(
      'EndpointSlice',
      { labelSelector: `${noProxyName},${noHeadless}` },
      slices,
      signal,
    ),
    source.watch('Node', { fieldSelector: `metadata.name=${nodeName}` }, nodes, signal),
    source.watch('ServiceCIDR', {}, serviceCidrs, signal),
  ]
  return { services, slices, nodes, serviceCidrs, ended: Promise.all(watches).then(() => {}) }
}
