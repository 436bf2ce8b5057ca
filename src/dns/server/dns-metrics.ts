import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { CacheObserver } from '../plugins/cache-observer.ts'
import type { ForwardObserver } from '../plugins/forward-observer.ts'
import { formatRcode } from '../wire/numbers.ts'
import { answerMetrics, durationBuckets, type ObserveListener } from './answer-metrics.ts'

/** Metrics of the DNS server under CoreDNS' names (plugin/metrics, plugin/cache, plugin/forward), which
 *  dashboards use. */
export interface DnsMetrics {
  readonly registry: Registry
  /** Observes the answers of a listener. */
  readonly observe: ObserveListener
  /** Counts an answer over HTTPS of a listener by its HTTP status. */
  readonly countHttpsStatus: (server: string, status: number) => void
  readonly cache: CacheObserver
  readonly forward: ForwardObserver
}

/** Makes the metrics in a registry of their own. */
export function createDnsMetrics(): DnsMetrics {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    observe: answerMetrics(registers),
    countHttpsStatus: httpsStatusCounter(registers),
    cache: cacheObserver(registers),
    forward: forwardObserver(registers),
  }
}

function httpsStatusCounter(registers: Registry[]): DnsMetrics['countHttpsStatus'] {
  const responses = new Counter({
    name: 'coredns_dns_https_responses_total',
    help: 'Answers over HTTPS by their HTTP status',
    labelNames: ['server', 'status'] as const,
    registers,
  })
  return (server, status) => responses.inc({ server, status: `${status}` })
}

function cacheObserver(registers: Registry[]): CacheObserver {
  const counter = (
    name: string,
    help: string,
    labelNames: readonly string[] = [],
    collect: () => void = () => undefined,
  ) => {
    const names = [...labelNames]
    return new Counter({
      name: `coredns_cache_${name}`,
      help,
      labelNames: names,
      registers,
      collect,
    })
  }
  // What happens with every query is counted in plain numbers, and given on when somebody looks.
  const hitCounts = { success: 0, denial: 0 }
  const sizes = { success: 0, denial: 0 }
  const parts = ['success', 'denial'] as const
  let missCount = 0
  const hits = counter('hits_total', 'Answers from the cache', ['type'], () => {
    for (const type of parts) hits.inc({ type }, hitCounts[type])
    hitCounts.success = hitCounts.denial = 0
  })
  const misses = counter('misses_total', 'Answers that were not in the cache', [], () => {
    misses.inc(missCount)
    missCount = 0
  })
  const evictions = counter('evictions_total', 'Answers that made room', ['type'])
  const prefetches = counter('prefetch_total', 'Answers that were asked for before they expired')
  const stale = counter('served_stale_total', 'Answers given after their time')
  const drops = counter('drops_total', 'Answers that did not belong to their question')
  new Gauge({
    name: 'coredns_cache_entries',
    help: 'Answers in the cache',
    labelNames: ['type'] as const,
    registers,
    collect() {
      for (const type of parts) this.set({ type }, sizes[type])
    },
  })
  return {
    hit: (type) => {
      hitCounts[type]++
    },
    miss: () => {
      missCount++
    },
    evicted: (type, count) => evictions.inc({ type }, count),
    prefetched: () => prefetches.inc(),
    servedStale: () => stale.inc(),
    rejected: () => drops.inc(),
    sized: (type, count) => {
      sizes[type] = count
    },
  }
}

function forwardObserver(registers: Registry[]): ForwardObserver {
  const labelNames = ['to', 'rcode'] as const
  const durations = new Histogram({
    name: 'coredns_proxy_request_duration_seconds',
    help: 'Time of an answer from an upstream',
    labelNames,
    buckets: durationBuckets,
    registers,
  })
  const checks = new Counter({
    name: 'coredns_proxy_healthcheck_failures_total',
    help: 'Health checks of upstreams that failed',
    labelNames: ['to'] as const,
    registers,
  })
  const broken = new Counter({
    name: 'coredns_forward_healthcheck_broken_total',
    help: 'Queries for which every upstream was down',
    registers,
  })
  const rejects = new Counter({
    name: 'coredns_forward_max_concurrent_rejects_total',
    help: 'Queries refused because too many were open',
    registers,
  })
  return {
    answered: (to, rcode, durationMs) =>
      durations.observe({ to, rcode: formatRcode(rcode) }, durationMs / 1_000),
    checkFailed: (to) => checks.inc({ to }),
    allDown: () => broken.inc(),
    rejected: () => rejects.inc(),
  }
}
