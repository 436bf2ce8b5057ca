import type { AcceptedDifference } from './accepted-differences.ts'

/** A known class of flows that kube-proxy's two modes treat differently. */
export type OriginalDifference = AcceptedDifference

/** Where kube-proxy's iptables mode differs from its nftables mode; the first that matches counts. */
export const originalDifferences: readonly OriginalDifference[] = []
