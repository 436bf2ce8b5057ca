import { openManifestSource } from '../kube/manifest-source.ts'
import type { SourceReport } from '../kube/source-event.ts'
import type { ClusterSource } from '../kube/store.ts'

/** Where the cluster's state comes from. */
export type SourceLocation =
  | { readonly kind: 'manifests'; readonly folder: string }
  | { readonly kind: 'kubeconfig'; readonly file: string; readonly master: string | undefined }
  | { readonly kind: 'in-cluster'; readonly master: string | undefined }

/** Opens the source; it lives until the signal is aborted. Rejects when the folder or the credentials
 *  cannot be read. */
export async function openSource(
  location: SourceLocation,
  report: SourceReport,
  signal: AbortSignal,
): Promise<ClusterSource> {
  if (location.kind === 'manifests') {
    return openManifestSource(location.folder, { report }, signal)
  }
  throw new Error('an API server cannot be watched yet: use --manifests DIR')
}
