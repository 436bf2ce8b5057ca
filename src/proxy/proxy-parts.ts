import type { Clock } from '../kube/clock.ts'
import type { ClusterSource } from '../kube/store.ts'
import type { Logger } from '../observe/logger.ts'
import type { ProxyMetrics } from '../observe/proxy-metrics.ts'
import type { ConntrackFollowerParts } from './conntrack-follower.ts'
import type { RunningSetup } from './running-setup.ts'

/** What a proxy is put together from. */
export interface ProxyParts {
  readonly source: ClusterSource
  readonly setup: RunningSetup
  readonly logger: Logger
  readonly metrics: ProxyMetrics
  readonly clock: Clock
  /** Monotonic milliseconds with fractions, for durations. */
  readonly stopwatch: () => number
  readonly localAddresses: () => readonly string[]
  readonly watchAddresses: (changed: () => void, signal: AbortSignal) => void
  /** Ends UDP flows to endpoints that are gone; undefined: they end by themselves. */
  readonly conntrack: ConntrackFollowerParts['connection'] | undefined
  /** Called once, after the first synchronisation: what only the start needed can go. */
  readonly settled: () => void
}
