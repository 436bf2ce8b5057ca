import type { ClusterAccess, User } from '../../src/kube/cluster-access.ts'

/** Nobody. */
export const anonymous: User = {
  token: undefined,
  tokenFile: undefined,
  basic: undefined,
  clientCertificate: undefined,
  exec: undefined,
}

/** Access to a test server, without credentials unless they are given. */
export function accessTo(
  server: string,
  more: Partial<Omit<ClusterAccess, 'user'>> & { readonly user?: Partial<User> } = {},
): ClusterAccess {
  const { user, ...rest } = more
  return {
    origin: 'test.kubeconfig, context test',
    server,
    authority: undefined,
    serverName: undefined,
    isInsecure: false,
    proxyUrl: undefined,
    namespace: 'default',
    ...rest,
    user: { ...anonymous, ...user },
  }
}
