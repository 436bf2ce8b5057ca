import { Counter, Histogram, type Registry } from 'prom-client'
import type { AnswerObserver } from '../answer/packet-responder.ts'
import type { Query, Response } from '../plugins/dns-server.ts'
import { formatRcode, formatType } from '../wire/numbers.ts'

/** Observes the answers of the listener with this label; `failed` is told of plugins that threw. */
export type ObserveListener = (server: string, failed: (error: unknown) => void) => AnswerObserver

/** Buckets of the original, seconds. */
export const durationBuckets = Array.from({ length: 16 }, (_, index) => 0.000_25 * 2 ** index)

/** Makes the metrics of queries and answers (coredns_dns_*). Answers of one kind are counted in a number on
 *  the hot path, which is given to the counters when they are read. */
export function answerMetrics(registers: Registry[]): ObserveListener {
  const tallies = new Tallies()
  const settle = (): void => {
    for (const { labels, count } of tallies.take()) {
      const { server, zone, view, rcode, ...request } = labels
      requests.inc({ server, zone, view, ...request }, count)
      responses.inc({ server, zone, view, rcode, plugin: '' }, count)
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
  const panics = new Counter({
    name: 'coredns_panics_total',
    help: 'Plugins that threw, answered with SERVFAIL',
    registers,
  })
  return (server, failed) => ({
    tallyOf: (query, response) => tallies.indexOf(server, query, response),
    answered(query, response, _sizes, startMs) {
      tallies.count(tallies.indexOf(server, query, response))
      const zone = response?.zone ?? dropped
      const seconds = Math.max(0, performance.now() - startMs) / 1_000
      durations.observe({ server, zone, view: '' }, seconds)
    },
    repeated: (tally) => tallies.count(tally),
    refused: () => responses.inc({ server, zone: dropped, view: '', rcode: 'FORMERR', plugin: '' }),
    failed(error) {
      panics.inc()
      failed(error)
    },
  })
}

/** The zone of queries that no block answers, as in CoreDNS. */
const dropped = 'dropped'

type AnswerLabels = Readonly<
  Record<'server' | 'zone' | 'view' | 'rcode' | 'proto' | 'family' | 'type', string>
>

function labelsOf(
  server: string,
  { message, client, transport }: Query,
  response: Response | undefined,
): AnswerLabels {
  return {
    server,
    zone: response?.zone ?? dropped,
    view: '',
    rcode: response === undefined ? '-' : formatRcode(response.message.rcode),
    proto: transport,
    family: client.address.includes(':') ? '2' : '1',
    type: formatType(message.questions[0]?.type ?? 0),
  }
}

/** Counts by labels. */
class Tallies {
  readonly #labels: AnswerLabels[] = []
  readonly #counts: number[] = []
  readonly #byText = new Map<string, number>()

  /** The index of an answer's labels, the same each time. */
  indexOf(server: string, query: Query, response: Response | undefined): number {
    const { message, client, transport } = query
    const type = message.questions[0]?.type
    const isIpv6 = client.address.includes(':')
    const rcode = response?.message.rcode
    const text = `${server} ${response?.zone} ${rcode} ${type} ${transport} ${isIpv6}`
    const known = this.#byText.get(text)
    if (known !== undefined) return known
    const index = this.#labels.push(labelsOf(server, query, response)) - 1
    this.#counts.push(0)
    this.#byText.set(text, index)
    return index
  }

  count(index: number): void {
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
  }

  /** What was counted since the last call. */
  take(): { readonly labels: AnswerLabels; readonly count: number }[] {
    return this.#labels.flatMap((labels, index) => {
      const count = this.#counts[index] ?? 0
      this.#counts[index] = 0
      return count === 0 ? [] : [{ labels, count }]
    })
  }
}
