import type { Secret } from './secret.ts'

/** How to reach one API server and as whom: the outcome of a kubeconfig or of the in-cluster
 *  files. */
export interface ClusterAccess {
  /** Where it was read from, for messages. */
  readonly origin: string
  /** `https://host:port` with a path prefix or none, without a slash at the end. */
  readonly server: string
  /** Certificate authorities; undefined: the system's. */
  readonly authority: Material | undefined
  /** Name expected in the server's certificate; undefined: the host of `server`. */
  readonly serverName: string | undefined
  /** The server's certificate is not checked. */
  readonly isInsecure: boolean
  /** http, https or socks5 proxy; may hold a password. */
  readonly proxyUrl: Secret | undefined
  readonly user: User
  /** Namespace of the context. */
  readonly namespace: string
}

/** PEM text: written in the configuration, or a file that may be replaced while we run. */
export type Material =
  | { readonly kind: 'data'; readonly pem: Secret }
  | { readonly kind: 'file'; readonly path: string }

/** The credentials that a configuration gives; several can be there. */
export interface User {
  readonly token: Secret | undefined
  /** Wins over `token` while it can be read. */
  readonly tokenFile: string | undefined
  readonly basic: { readonly username: string; readonly password: Secret } | undefined
  readonly clientCertificate: { readonly certificate: Material; readonly key: Material } | undefined
  readonly exec: ExecConfig | undefined
  /** Headers by which the user acts as somebody else (as, as-uid, as-groups); undefined: it does
   *  not. */
  readonly impersonation?: Readonly<Record<string, string | string[]>> | undefined
}

/** A credential plugin (client.authentication.k8s.io). */
export interface ExecConfig {
  readonly apiVersion: (typeof execApiVersions)[number]
  readonly command: string
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: Secret }[]
  readonly provideClusterInfo: boolean
  /** Told to the user when the command does not exist. */
  readonly installHint: string
}

/** Versions of the plugin protocol that are spoken. */
export const execApiVersions = [
  'client.authentication.k8s.io/v1',
  'client.authentication.k8s.io/v1beta1',
] as const

/** Environment variables, passed in. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A configuration that cannot be used; the message says what, where and what to do. */
export class ClusterAccessError extends Error {
  readonly code = 'PORTOLAN_CLUSTER_ACCESS'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ClusterAccessError'
  }
}
