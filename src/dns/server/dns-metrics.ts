import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { AnswerObserver } from '../answer/packet-responder.ts'
import type { CacheObserver } from '../plugins/cache-observer.ts'
import type { Query, Response } from '../plugins/dns-server.ts'
import type { ForwardObserver } from '../plugins/forward-observer.ts'
import { formatRcode, formatType } from '../wire/numbers.ts'

/** Metrics of the DNS server under CoreDNS' names (plugin/metrics, plugin/cache, plugin/forward), which
 *  dashboards use. */
export interface DnsMetrics {
  readonly registry: Registry
  /** Observes the answers of a listener. */
  readonly observe: (server: string, failed: (error: unknown) => void) => AnswerObserver
  readonly cache: CacheObserver
  readonly forward: ForwardObserver
}

/** Buckets of the original, seconds. */
const durationBuckets = Array.from({ length: 16 }, (_, index) => 0.000_25 * 2 ** index)

/** Makes the metrics in a registry of their own. */
export function createDnsMetrics(): DnsMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const panics = new Counter({
    name: 'coredns_panics_total',
    help: 'Plugins that threw, answered with SERVFAIL',
    registers,
  })
  /** Answers of one kind: counted in a number on the hot path, given to the counters when they are read. */
  const tallies: Tally[] = []
  const settle = (): void => {
    for (const tally of tallies) {
      if (tally.count === 0) continue
      const { server, zone, view, rcode, ...request } = tally.labels
      requests.inc({ server, zone, view, ...request }, tally.count)
      responses.inc({ server, zone, view, rcode, plugin: '' }, tally.count)
      tally.count = 0
    }
  }
  const requests = new Counter({
    name: 'coredns_dns_requests_total',
    help: 'Queries',
    labelNames: ['server', 'zone', 'view', 'proto', 'family', 'type'] as const,
    registers,
    collect: settle,
  })
  const responses = new Counter({
    name: 'coredns_dns_responses_total',
    help: 'Answers',
    labelNames: ['server', 'zone', 'view', 'rcode', 'plugin'] as const,
    registers,
    collect: settle,
  })
  const durations = new Histogram({
    name: 'coredns_dns_request_duration_seconds',
    help: 'From the query to the answer, of answers that were made; those given again are not timed',
    labelNames: ['server', 'zone', 'view'] as const,
    buckets: durationBuckets,
    registers,
  })
  return {
    registry,
    observe(server, failed) {
      const byText = new Map<string, number>()
      const common = { server, zone: '.', view: '' }
      const tallyOf = (query: Query, response: Response | undefined): number => {
        const labels = { ...common, ...requestLabels(query), rcode: rcodeOf(response) }
        const text = Object.values(labels).join(' ')
        const known = byText.get(text)
        if (known !== undefined) return known
        byText.set(text, tallies.length)
        return tallies.push({ labels, count: 0 }) - 1
      }
      const count = (index: number): void => {
        const tally = tallies[index]
        if (tally !== undefined) tally.count++
      }
      return {
        tallyOf,
        answered(query, response, _sizes, startMs) {
          count(tallyOf(query, response))
          durations.observe(common, Math.max(0, performance.now() - startMs) / 1_000)
        },
        repeated: count,
        refused() {
          responses.inc({ ...common, rcode: 'FORMERR', plugin: '' })
        },
        failed(error) {
          panics.inc()
          failed(error)
        },
      }
    },
    cache: cacheObserver(registers),
    forward: forwardObserver(registers),
  }
}

interface Tally {
  readonly labels: Readonly<Record<'server' | 'zone' | 'view' | 'rcode', string>> & RequestLabels
  count: number
}

type RequestLabels = Readonly<Record<'proto' | 'family' | 'type', string>>

function requestLabels({ message, client, transport }: Query): RequestLabels {
  return {
    proto: transport,
    family: client.address.includes(':') ? '2' : '1',
    type: formatType(message.questions[0]?.type ?? 0),
  }
}

function rcodeOf(response: Response | undefined): string {
  return response === undefined ? '-' : formatRcode(response.message.rcode)
}

function cacheObserver(registers: Registry[]): CacheObserver {
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: `coredns_cache_${name}`, help, labelNames: [...labelNames], registers })
  const hits = counter('hits_total', 'Answers from the cache', ['type'])
  const misses = counter('misses_total', 'Answers that were not in the cache')
  const evictions = counter('evictions_total', 'Answers that made room', ['type'])
  const prefetches = counter('prefetch_total', 'Answers that were asked for before they expired')
  const stale = counter('served_stale_total', 'Answers given after their time')
  const drops = counter('drops_total', 'Answers that did not belong to their question')
  const entries = new Gauge({
    name: 'coredns_cache_entries',
    help: 'Answers in the cache',
    labelNames: ['type'] as const,
    registers,
  })
  return {
    hit: (type) => hits.inc({ type }),
    miss: () => misses.inc(),
    evicted: (type, count) => evictions.inc({ type }, count),
    prefetched: () => prefetches.inc(),
    servedStale: () => stale.inc(),
    rejected: () => drops.inc(),
    sized: (type, count) => entries.set({ type }, count),
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
