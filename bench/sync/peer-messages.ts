/** Where the API server is found in the peer's namespace. */
export const relayPort = 16_443

/** Where the peer has its metrics. */
export const metricsPort = 10_249

/** What the probe gets. */
export interface PeerOrder {
  readonly binary: string
  readonly kubeconfigFile: string
  /** Leads out of the namespace, to the API server. */
  readonly socketFile: string
}

/** What the probe tells; times in milliseconds since the epoch. */
export type ProbeMessage =
  | { readonly kind: 'started' | 'rules changed'; readonly atMs: number }
  | { readonly kind: 'metrics'; readonly text: string }
