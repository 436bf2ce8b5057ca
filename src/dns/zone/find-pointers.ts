import type { KubernetesSettings } from '../corefile/decode-kubernetes.ts'
import { type DnsName, parseName } from '../wire/name.ts'
import { type ClusterNames, eachReadyAddress } from './cluster-names.ts'
import { endpointLabel, isExposed, ownerOf } from './find-hosts.ts'
import { nameInZone } from './zone-records.ts'

/** The names of an address in the primary zone: of the service with this cluster address, else of its
 *  endpoints. Empty: it has none. */
export function findPointers(
  names: ClusterNames,
  settings: KubernetesSettings,
  address: string,
  primaryZone: DnsName,
): readonly DnsName[] {
  // Namespaces are only asked for when the directive names some: otherwise an object is its own proof.
  const isServed = (namespace: string): boolean =>
    settings.namespaces === undefined || isExposed(names, settings, namespace)
  // Two services with one address are a mistake or a change on its way: the answer must not depend on
  // which of them came first.
  const [owner] = names
    .servicesAt(address)
    .filter(({ namespace }) => isServed(namespace))
    .map(ownerOf)
    .sort()
  if (owner !== undefined) return [nameInZone(owner, primaryZone)]
  if (!settings.hasEndpoints) return []
  const found = new Set<DnsName>()
  for (const slice of names.slicesAt(address)) {
    if (!isServed(slice.namespace)) continue
    const service = ownerOf({ name: slice.serviceName, namespace: slice.namespace })
    eachReadyAddress(slice, (endpointAddress, endpoint) => {
      if (endpointAddress !== address) return
      const label = endpointLabel(settings, endpoint, address)
      const name = parseName(nameInZone(`${label}.${service}`, primaryZone))
      if (name !== undefined) found.add(name)
    })
  }
  return [...found]
}
