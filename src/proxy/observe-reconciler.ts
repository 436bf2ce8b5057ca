import type { Logger } from '../observe/logger.ts'
import { ipFamilies, type ProxyMetrics } from '../observe/proxy-metrics.ts'
import type { ProxyHealth } from './health/proxy-health.ts'
import type { ReconcilerObserver } from './reconciler-observer.ts'

/** Turns what the reconciler does into metrics, log lines and health. `now` is milliseconds since the
 *  epoch. */
export function observeReconciler(
  metrics: ProxyMetrics,
  logger: Logger,
  health: ProxyHealth,
  now: () => number,
): ReconcilerObserver {
  return {
    changed(kind) {
      const isService = kind === 'service'
      ;(isService ? metrics.serviceChanges : metrics.endpointChanges).inc()
      ;(isService ? metrics.serviceChangesPending : metrics.endpointChangesPending).inc()
      setForFamilies(metrics.lastQueuedTimestamp, now())
      health.queued()
    },
    synchronized(done) {
      const seconds = done.durationMs / 1_000
      for (const ip_family of ipFamilies) {
        metrics.syncDuration.observe({ ip_family }, seconds)
        const byKind =
          done.kind === 'update' ? metrics.partialSyncDuration : metrics.fullSyncDuration
        byKind.observe({ ip_family }, seconds)
      }
      setForFamilies(metrics.lastSyncTimestamp, now())
      metrics.serviceChangesPending.set(0)
      metrics.endpointChangesPending.set(0)
      metrics.kernelTransactions.inc(done.transactions)
      metrics.kernelBytes.inc(done.bytes)
      if (done.eventToKernelMs !== undefined) {
        metrics.eventToKernel.observe(done.eventToKernelMs / 1_000)
      }
      health.updated()
      const { kind, services, operations, transactions, bytes } = done
      const fields = {
        kind,
        services,
        operations,
        transactions,
        bytes,
        durationMs: round(done.durationMs),
        ...(done.eventToKernelMs === undefined
          ? {}
          : { eventToKernelMs: round(done.eventToKernelMs) }),
      }
      // Updates come with every change of the cluster; only the rare kinds are worth a line by default.
      if (kind === 'update') logger.debug(fields, 'synchronised')
      else logger.info(fields, kind === 'repair' ? 'repaired' : 'synchronised')
    },
    failed(error, retryMs) {
      for (const ip_family of ipFamilies) metrics.nftablesSyncFailures.inc({ ip_family })
      logger.error({ error: error.message, retryMs }, 'the kernel refused a synchronisation')
    },
    drifted(what) {
      metrics.repairs.inc()
      logger.warn({ what }, 'somebody else changed our objects in the kernel')
    },
  }
}

function setForFamilies(
  gauge: ProxyMetrics['lastSyncTimestamp'] | ProxyMetrics['lastQueuedTimestamp'],
  timeMs: number,
): void {
  for (const ip_family of ipFamilies) gauge.set({ ip_family }, timeMs / 1_000)
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000
}
