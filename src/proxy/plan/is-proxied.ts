import type { ResourceMeta } from '../../kube/resources.ts'

/** Whether the object is for this proxy at all. The labels count by being there, whatever their value:
 *  `service-proxy-name` hands an object to another proxy, `headless` marks one that nobody proxies. They
 *  stand on services and, copied by the control plane, on their slices. */
export function isProxied(object: Pick<ResourceMeta, 'labels'>): boolean {
  return !(proxyNameLabel in object.labels) && !(headlessLabel in object.labels)
}

const proxyNameLabel = 'service.kubernetes.io/service-proxy-name'
const headlessLabel = 'service.kubernetes.io/headless'
