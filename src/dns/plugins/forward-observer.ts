/** What happens to forwarded queries, for metrics. */
export interface ForwardObserver {
  /** An upstream answered. */
  answered(upstream: string, rcode: number, durationMs: number): void
  /** A health check failed. */
  checkFailed(upstream: string): void
  /** All upstreams were down. */
  allDown(): void
  /** There were too many queries at a time. */
  rejected(): void
}

/** Nobody looks. */
export const silentForwardObserver: ForwardObserver = {
  answered: () => undefined,
  checkFailed: () => undefined,
  allDown: () => undefined,
  rejected: () => undefined,
}
