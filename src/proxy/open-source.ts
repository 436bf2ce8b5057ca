import { ApiSource } from '../kube/api-source.ts'
import { ApiTransport } from '../kube/api-transport.ts'
import { type ClusterAccess, ClusterAccessError, type Environment } from '../kube/cluster-access.ts'
import type { DecodeOptions } from '../kube/decode-pool.ts'
import { findClusterAccess } from '../kube/find-cluster-access.ts'
import { openManifestSource } from '../kube/manifest-source.ts'
import { readServerVersion } from '../kube/read-server-version.ts'
import type { SourceReport } from '../kube/source-event.ts'
import type { ClusterSource } from '../kube/store.ts'

/** Where the cluster's state comes from. */
export type SourceLocation =
  | { readonly kind: 'manifests'; readonly folder: string }
  | {
      readonly kind: 'cluster'
      /** Empty: KUBECONFIG, the in-cluster service account, or ~/.kube/config. */
      readonly kubeconfig: string
      /** Goes before the kubeconfig's server; undefined: not given. */
      readonly master: string | undefined
      readonly environment: Environment
    }

/** An open source, and its name for messages: the folder, or the server's URL. */
export interface OpenedSource {
  readonly source: ClusterSource
  readonly name: string
  /** Asks the API server for its version, for the log; undefined for a folder. Rejects when the server
   *  cannot be reached or does not know us. */
  readonly readVersion: (() => Promise<string>) | undefined
}

/** Opens the source; it lives until the signal is aborted. Rejects when the folder or the credentials
 *  cannot be read; a server that does not answer is not noticed here. */
export async function openSource(
  location: SourceLocation,
  report: SourceReport,
  signal: AbortSignal,
  decodeOptions: DecodeOptions = {},
): Promise<OpenedSource> {
  if (location.kind === 'manifests') {
    const source = await openManifestSource(location.folder, { report }, signal)
    return { source, name: location.folder, readVersion: undefined }
  }
  const { kubeconfig, master, environment } = location
  const access = overrideServer(await findClusterAccess({ kubeconfig, environment }), master)
  if (access === undefined) throw new ClusterAccessError(noCluster)
  const transport = new ApiTransport(access, { environment })
  signal.addEventListener('abort', () => void transport.close(), { once: true })
  return {
    source: new ApiSource(transport, { report, decodeOptions }),
    name: access.server,
    readVersion: () => readServerVersion(transport, signal),
  }
}

const noCluster =
  'no cluster: give --kubeconfig FILE, set KUBECONFIG, or serve a folder with --manifests DIR'

function overrideServer(
  access: ClusterAccess | undefined,
  master: string | undefined,
): ClusterAccess | undefined {
  if (master === undefined || master === '') return access
  const server = master.replace(/\/+$/, '')
  if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
    throw new ClusterAccessError(
      `--master ${master}: no URL; give one such as https://10.0.0.1:6443`,
    )
  }
  return access === undefined ? anonymousAccess(server) : { ...access, server }
}

function anonymousAccess(server: string): ClusterAccess {
  return {
    origin: '--master',
    server,
    authority: undefined,
    serverName: undefined,
    isInsecure: false,
    proxyUrl: undefined,
    user: {
      token: undefined,
      tokenFile: undefined,
      basic: undefined,
      clientCertificate: undefined,
      exec: undefined,
    },
    namespace: 'default',
  }
}
