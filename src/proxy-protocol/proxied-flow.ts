/** The connection that a header of the PROXY protocol tells of. Both addresses are canonical and of one family. */
export interface ProxiedFlow {
  readonly source: { readonly address: string; readonly port: number }
  readonly destination: { readonly address: string; readonly port: number }
}

/** Versions of the protocol: a line of text, or bytes. haproxy.org, proxy-protocol.txt, sections 2.1 and 2.2 */
export type ProxyProtocolVersion = 'v1' | 'v2'
