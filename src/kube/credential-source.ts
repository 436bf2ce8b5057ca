import type { Secret } from './secret.ts'

/** What one request is sent with. */
export interface Credentials {
  /** Value of the Authorization header. */
  readonly authorization: Secret | undefined
  readonly clientCertificate: { readonly certificate: string; readonly key: Secret } | undefined
}

/** Gives the credentials of the moment. */
export interface CredentialSource {
  /** Rejects with a ClusterAccessError when there are none to be had. */
  current(): Promise<Credentials>
  /** The server refused them: the next ones are obtained anew. False when they cannot differ. */
  expire(): boolean
}
