import type { ProxyProtocolVersion } from '../../proxy-protocol/proxied-flow.ts'

/** How flows are relayed. */
export interface RelayOptions {
  /** How long each attempt to reach an endpoint may take; there are as many attempts. */
  readonly dialTimeoutsMs: readonly number[]
  /** TCP: ends connections on which nothing happens; 0: never. */
  readonly idleTimeoutMs: number
  /** TCP connections to an endpoint that is gone: go on for as long as both ends want, or are reset. */
  readonly drain: 'continue' | 'reset'
  /** TCP: the version of the PROXY protocol in which endpoints are told of their clients; undefined: they are told
   *  nothing, and take no header for a request. */
  readonly proxyProtocol?: ProxyProtocolVersion
  /** Whose address endpoints see: the node's, or the client's wherever the plan does not masquerade. */
  readonly source: 'node' | 'client'
  /** UDP: ends sessions without an answer, and sessions with one. */
  readonly sessionTimeoutMs: { readonly unanswered: number; readonly answered: number }
  /** UDP sessions at once; each has a socket. */
  readonly sessionLimit: number
}

/** Dial timeouts of the original's userspace mode; UDP timeouts of the kernel's connection tracking, whose
 *  entries the other modes follow; a fourth of the usual limit of open files for UDP. */
export const defaultRelayOptions: RelayOptions = {
  dialTimeoutsMs: [250, 500, 1_000, 2_000],
  idleTimeoutMs: 0,
  drain: 'continue',
  source: 'node',
  sessionTimeoutMs: { unanswered: 30_000, answered: 120_000 },
  sessionLimit: 16_384,
}
