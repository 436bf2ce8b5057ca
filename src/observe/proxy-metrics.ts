import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** All metrics of a node proxy, in a registry of their own. */
export interface ProxyMetrics {
  readonly registry: Registry
  readonly syncDuration: Histogram<'ip_family'>
  readonly fullSyncDuration: Histogram<'ip_family'>
  readonly partialSyncDuration: Histogram<'ip_family'>
  readonly networkProgrammingDuration: Histogram<'ip_family'>
  readonly lastSyncTimestamp: Gauge<'ip_family'>
  readonly lastQueuedTimestamp: Gauge<'ip_family'>
  readonly endpointChangesPending: Gauge
  readonly endpointChanges: Counter
  readonly serviceChangesPending: Gauge
  readonly serviceChanges: Counter
  readonly noLocalEndpoints: Gauge<'ip_family' | 'traffic_policy'>
  readonly nftablesSyncFailures: Counter<'ip_family'>
  readonly nftablesCleanupFailures: Counter<'ip_family'>
  readonly conntrackDeleted: Counter<'ip_family'>
  readonly healthzAnswers: Counter<'code'>
  readonly livezAnswers: Counter<'code'>
  readonly eventToKernel: Histogram
  readonly repairs: Counter
  readonly kernelTransactions: Counter
  readonly kernelBytes: Counter
}

/** Values of the label `ip_family`, as the original writes them. */
export const ipFamilies = ['IPv4', 'IPv6'] as const

/** Makes the metrics. The names that begin with `kubeproxy_` are the original's, with its meanings and
 *  buckets (pkg/proxy/metrics/metrics.go); the others are ours. */
export function createProxyMetrics(): ProxyMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const metrics = {
    registry,
    ...syncMetrics(registers),
    ...changeMetrics(registers),
    ...ownMetrics(registers),
  }
  // A failure that never happened is a zero to alert on, not a missing series.
  for (const ip_family of ipFamilies) {
    metrics.nftablesSyncFailures.inc({ ip_family }, 0)
    metrics.nftablesCleanupFailures.inc({ ip_family }, 0)
    metrics.conntrackDeleted.inc({ ip_family }, 0)
  }
  return metrics
}

function syncMetrics(registers: Registry[]) {
  const labelNames = ['ip_family'] as const
  const sync = { labelNames, buckets: exponential(0.001, 2, 15), registers }
  return {
    syncDuration: new Histogram({
      name: 'kubeproxy_sync_proxy_rules_duration_seconds',
      help: 'Duration of one synchronisation of the kernel with the plan',
      ...sync,
    }),
    fullSyncDuration: new Histogram({
      name: 'kubeproxy_sync_full_proxy_rules_duration_seconds',
      help: 'Duration of synchronisations that read and compared everything',
      ...sync,
    }),
    partialSyncDuration: new Histogram({
      name: 'kubeproxy_sync_partial_proxy_rules_duration_seconds',
      help: 'Duration of synchronisations of changed services only',
      ...sync,
    }),
    networkProgrammingDuration: new Histogram({
      name: 'kubeproxy_network_programming_duration_seconds',
      help: 'Time from the change of a pod or service, as its controller noted it, to the kernel',
      labelNames,
      buckets: networkProgrammingBuckets(),
      registers,
    }),
    lastSyncTimestamp: new Gauge({
      name: 'kubeproxy_sync_proxy_rules_last_timestamp_seconds',
      help: 'Time of the last successful synchronisation',
      labelNames,
      registers,
    }),
    lastQueuedTimestamp: new Gauge({
      name: 'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds',
      help: 'Time when a synchronisation was last asked for',
      labelNames,
      registers,
    }),
    nftablesSyncFailures: new Counter({
      name: 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total',
      help: 'Synchronisations that the kernel refused',
      labelNames,
      registers,
    }),
    conntrackDeleted: new Counter({
      name: 'kubeproxy_conntrack_reconciler_deleted_entries_total',
      help: 'Tracked UDP flows that were ended because their endpoint is gone',
      labelNames,
      registers,
    }),
    nftablesCleanupFailures: new Counter({
      name: 'kubeproxy_sync_proxy_rules_nftables_cleanup_failures_total',
      help: 'Removals of stale chains that failed; always 0 here: removal is part of the transaction',
      labelNames,
      registers,
    }),
  }
}

function changeMetrics(registers: Registry[]) {
  return {
    endpointChangesPending: new Gauge({
      name: 'kubeproxy_sync_proxy_rules_endpoint_changes_pending',
      help: 'Changes of EndpointSlices that are not in the kernel yet',
      registers,
    }),
    endpointChanges: new Counter({
      name: 'kubeproxy_sync_proxy_rules_endpoint_changes_total',
      help: 'Changes of EndpointSlices seen',
      registers,
    }),
    serviceChangesPending: new Gauge({
      name: 'kubeproxy_sync_proxy_rules_service_changes_pending',
      help: 'Changes of Services that are not in the kernel yet',
      registers,
    }),
    serviceChanges: new Counter({
      name: 'kubeproxy_sync_proxy_rules_service_changes_total',
      help: 'Changes of Services seen',
      registers,
    }),
    noLocalEndpoints: new Gauge({
      name: 'kubeproxy_sync_proxy_rules_no_local_endpoints_total',
      help: 'Services with a Local traffic policy and no endpoint on this node',
      labelNames: ['ip_family', 'traffic_policy'] as const,
      registers,
    }),
    healthzAnswers: new Counter({
      name: 'kubeproxy_proxy_healthz_total',
      help: 'Answers of /healthz by status',
      labelNames: ['code'] as const,
      registers,
    }),
    livezAnswers: new Counter({
      name: 'kubeproxy_proxy_livez_total',
      help: 'Answers of /livez by status',
      labelNames: ['code'] as const,
      registers,
    }),
  }
}

function ownMetrics(registers: Registry[]) {
  return {
    eventToKernel: new Histogram({
      name: 'portolan_event_to_kernel_seconds',
      help: "Time from the decoding of the oldest event to the kernel's acknowledgement",
      // 50 microseconds to 1.6 s: one element costs about 20 microseconds in the kernel.
      buckets: exponential(0.000_05, 2, 16),
      registers,
    }),
    repairs: new Counter({
      name: 'portolan_repairs_total',
      help: 'Repairs after somebody else changed our objects in the kernel',
      registers,
    }),
    kernelTransactions: new Counter({
      name: 'portolan_kernel_transactions_total',
      help: 'Transactions that the kernel accepted',
      registers,
    }),
    kernelBytes: new Counter({
      name: 'portolan_kernel_bytes_total',
      help: 'Bytes of accepted transactions',
      registers,
    }),
  }
}

function exponential(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => start * factor ** index)
}

/** Seconds: 0.25, 0.5; 1 to 59 by 1; 60 to 115 by 5; 120 to 300 by 30. */
function networkProgrammingBuckets(): number[] {
  const linear = (start: number, width: number, count: number) =>
    Array.from({ length: count }, (_, index) => start + width * index)
  return [0.25, 0.5, ...linear(1, 1, 59), ...linear(60, 5, 12), ...linear(120, 30, 7)]
}
