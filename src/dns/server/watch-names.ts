import type { Kind, Resources } from '../../kube/resources.ts'
import { type ClusterSource, type Selection, Store } from '../../kube/store.ts'
import type { KubernetesSettings } from '../corefile/decode-kubernetes.ts'
import { ClusterNames } from '../zone/cluster-names.ts'

/** The names of a cluster, kept up to date. */
export interface WatchedNames {
  readonly names: ClusterNames
  /** Resolves when everything was listed once. */
  readonly synced: Promise<void>
  /** Resolves when the signal is aborted; rejects when a watch cannot go on. */
  readonly ended: Promise<void>
}

/** Watches what a `kubernetes` directive asks for until the signal is aborted. */
export function watchNames(
  source: ClusterSource,
  settings: KubernetesSettings,
  signal: AbortSignal,
): WatchedNames {
  const services = new Store<Resources['Service']>()
  const slices = new Store<Resources['EndpointSlice']>()
  const namespaces = new Store<Resources['Namespace']>()
  const pods = new Store<Resources['Pod']>()
  const names = new ClusterNames({ services, slices, namespaces, pods }, () =>
    Math.floor(Date.now() / 1_000),
  )
  const watch = <K extends Kind>(kind: K, selection: Selection, store: Store<Resources[K]>) =>
    source.watch(kind, selection, store, signal)
  const labels = selected(settings.labels)
  const watches = [
    watch('Service', labels, services),
    watch('Namespace', selected(settings.namespaceLabels), namespaces),
  ]
  if (settings.hasEndpoints) watches.push(watch('EndpointSlice', labels, slices))
  else slices.replace([])
  // Only verified names of pods need them all: they are most of a cluster's objects.
  if (settings.pods === 'verified') watches.push(watch('Pod', labels, pods))
  else pods.replace([])
  const stores = [services, slices, namespaces, pods]
  return {
    names,
    synced: Promise.all(stores.map((store) => store.synced)).then(() => {}),
    ended: Promise.all(watches).then(() => {}),
  }
}

function selected(labelSelector: string): Selection {
  return labelSelector === '' ? {} : { labelSelector }
}
