import type { KubernetesSettings } from '../../../src/dns/corefile/decode-kubernetes.ts'
import type { NamedObjects } from '../../../src/dns/zone/cluster-names.ts'
import type { ResourceMeta } from '../../../src/kube/resources.ts'
import { compileSelection } from '../../../src/kube/selector.ts'
import { Store } from '../../../src/kube/store.ts'
import type { DnsObjects } from './dns-scenario.ts'

/** Empty stores for what a directive watches. */
export function openStores(): NamedObjects {
  return {
    services: new Store(),
    slices: new Store(),
    namespaces: new Store(),
    pods: new Store(),
  }
}

/** Brings the stores to a step, as watches with the directive's selectors would. */
export function fillStores(
  stores: NamedObjects,
  settings: KubernetesSettings,
  objects: DnsObjects,
): void {
  const select = <T extends ResourceMeta>(all: readonly T[], labelSelector: string): T[] =>
    all.filter(compileSelection({ labelSelector }))
  stores.namespaces.replace(select(objects.namespaces, settings.namespaceLabels))
  stores.services.replace(select(objects.services, settings.labels))
  stores.slices.replace(settings.hasEndpoints ? select(objects.slices, settings.labels) : [])
  const pods = settings.pods === 'verified' ? objects.pods : []
  stores.pods.replace(select(pods, settings.labels))
}
