import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { type ClusterAccess, ClusterAccessError, type Environment } from './cluster-access.ts'
import { loadKubeconfig } from './kubeconfig.ts'

/** Where to look. */
export interface AccessOptions {
  /** --kubeconfig; undefined or empty: not given. */
  readonly kubeconfig?: string | undefined
  /** --context; undefined: the current one. */
  readonly context?: string | undefined
  readonly environment: Environment
  /** Folder of the service account; tests have their own. */
  readonly serviceAccountFolder?: string
}

/** Finds the cluster: the given kubeconfig, the files of KUBECONFIG, the service account of the pod
 *  that we run in, or ~/.kube/config, in this order. Undefined when there is none of them. Rejects
 *  with a ClusterAccessError or a DecodeError when there is one and it cannot be used. */
export async function findClusterAccess(
  options: AccessOptions,
): Promise<ClusterAccess | undefined> {
  const { kubeconfig, context, environment } = options
  if (kubeconfig) return loadKubeconfig([kubeconfig], { context })
  const listed = (environment.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '')
  if (listed.length > 0) return loadKubeconfig(listed, { context })
  if (environment.KUBERNETES_SERVICE_HOST) {
    return inClusterAccess(environment, options.serviceAccountFolder ?? serviceAccountFolder)
  }
  const path = join(environment.HOME ?? '/root', '.kube', 'config')
  return (await exists(path)) ? loadKubeconfig([path], { context }) : undefined
}

/** Where the kubelet mounts a pod's token, CA and namespace. */
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Access as the service account of the pod: the token is read again when the kubelet rotates
 *  it. */
export async function inClusterAccess(
  environment: Environment,
  folder: string,
): Promise<ClusterAccess> {
  const host = environment.KUBERNETES_SERVICE_HOST ?? ''
  const port = environment.KUBERNETES_SERVICE_PORT ?? ''
  if (host === '' || !/^[0-9]{1,5}$/.test(port)) {
    throw new ClusterAccessError(
      'environment: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: not set; ' +
        'run in a pod or give a kubeconfig',
    )
  }
  const tokenFile = join(folder, 'token')
  if (!(await exists(tokenFile))) {
    throw new ClusterAccessError(
      `${tokenFile}: no such file; ` +
        'let the pod mount its service account token or give a kubeconfig',
    )
  }
  const authority = join(folder, 'ca.crt')
  return {
    origin: 'the service account of this pod',
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    authority: (await exists(authority)) ? { kind: 'file', path: authority } : undefined,
    serverName: undefined,
    isInsecure: false,
    proxyUrl: undefined,
    user: {
      token: undefined,
      tokenFile,
      basic: undefined,
      clientCertificate: undefined,
      exec: undefined,
    },
    namespace: 'default',
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
