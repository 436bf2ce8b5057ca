import type { BenchmarkMode } from '../support/benchmark.ts'

/** Where the API server is found in the peer's namespace. */
export const relayPort = 16_443

/** Where the peer has its metrics. */
export const metricsPort = 10_249

/** Modes of the peer that are measured. */
type PeerMode = 'nftables' | 'iptables'

/** The mode of the peer that is beside one of ours. */
export function peerModeOf(mode: BenchmarkMode): PeerMode {
  return mode === 'nftables' ? 'nftables' : 'iptables'
}

/** The peer in a table: `kube-proxy nftables`. */
export function peerSubjectName(binary: string, mode: BenchmarkMode): string {
  return `${binary.split('/').at(-1)} ${peerModeOf(mode)}`
}

/** What the probe gets. */
export interface PeerOrder {
  readonly binary: string
  readonly mode: PeerMode
  readonly kubeconfigFile: string
  /** Leads out of the namespace, to the API server. */
  readonly socketFile: string
}

/** What the probe tells; times in milliseconds since the epoch. */
export type ProbeMessage =
  | { readonly kind: 'started' | 'rules changed'; readonly atMs: number }
  | { readonly kind: 'metrics'; readonly text: string }
