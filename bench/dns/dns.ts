import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Benchmark, Row } from '../support/benchmark.ts'
import { distribution, percentile, significant } from '../support/percentile.ts'
import { readUsage } from '../support/process-usage.ts'
import { answering } from './answering.ts'
import { clusterQueries, freshQueries, searchPathQueries, upstreamQueries } from './bench-names.ts'
import { measureChanges } from './change-latency.ts'
import { DnsBed, freePort } from './dns-bed.ts'
import { type DnsSubject, dnsSubjects, ours } from './dns-subject.ts'
import { type Load, runDnsperf } from './run-dnsperf.ts'

/** `portolan dns` beside the name servers that are installed, loaded by dnsperf. */
export const dnsBenchmark: Benchmark = {
  name: 'dns',
  summary: 'answers a second, latency, CPU and memory of portolan dns beside other name servers',
  async run({ services: sizes, seconds, repeat, coredns, changes }, print, signal) {
    const bed = await openBed()
    try {
      const runs = works(bed, sizes, seconds)
      const samples = new Map<string, Sample>()
      // Interleaved, so that a change of the machine meets all of them.
      for (let round = 0; round < repeat; round++) {
        for (const subject of dnsSubjects(coredns)) {
          for (const work of runs) {
            if (!subject.does.includes(work.needs)) continue
            print(`round ${round + 1}: ${subject.name}: ${work.title}`)
            await measure(bed, subject, work, samples, signal)
          }
        }
      }
      const changed: Row[] = []
      for (const services of sizes) {
        print(`portolan dns: endpoints change, ${services} services`)
        const times = await measureChanges(bed, services, await freePort(), changes)
        const work = `endpoints change, ${services} services`
        const metric = 'event to answer'
        changed.push({ subject: ours, work, metric, unit: 'ms', ...distribution(times) })
      }
      return [...[...samples.values()].map(rowOf), ...changed]
    } finally {
      bed.close()
    }
  },
}

interface Work {
  readonly title: string
  readonly needs: DnsSubject['does'][number]
  readonly services: number
  readonly load: Omit<Load, 'port'>
  /** What is asked before it counts, when that is not the same: caches stay empty of what counts, while code is
   *  compiled and connections are made. */
  readonly warmUp?: string
}

/** Values of one metric over all rounds. */
interface Sample {
  readonly row: Omit<Row, 'value' | 'p50' | 'p99'>
  readonly values: number[]
}

/** The rate at which latency is looked at. */
const latencyRate = 30_000

function works(bed: DnsBed, sizes: readonly number[], seconds: number): readonly Work[] {
  const [small = 1_000] = sizes
  const file = (name: string, content: string): string => bed.write(name, content)
  const upstream = file('upstream.txt', upstreamQueries())
  const searches = file('searches.txt', searchPathQueries())
  const fresh = file('fresh.txt', freshQueries('fresh', 200_000))
  const clusters = sizes.map((services): Work => {
    const queries = file(`cluster-${services}.txt`, clusterQueries(services))
    const title = `cluster A, ${services} services`
    return { title, needs: 'cluster', services, load: { queries, seconds } }
  })
  const slow = file('slow.txt', clusterQueries(small))
  return [
    ...clusters,
    {
      title: `cluster A, ${small} services, ${latencyRate} queries/s`,
      needs: 'cluster',
      services: small,
      load: { queries: slow, seconds, rate: latencyRate },
    },
    {
      title: 'search path of pods',
      needs: 'cluster',
      services: small,
      load: { queries: searches, seconds },
    },
    {
      title: 'cached upstream names',
      needs: 'upstream',
      services: small,
      load: { queries: upstream, seconds },
    },
    {
      title: 'uncached upstream names',
      needs: 'upstream',
      services: small,
      warmUp: file('early.txt', freshQueries('early', 100_000)),
      load: { queries: fresh, seconds, isOnce: true },
    },
  ]
}

/** Until then code is still being compiled: the first seconds cost twice as much for each answer. */
const warmUpSeconds = 5

async function measure(
  bed: DnsBed,
  subject: DnsSubject,
  work: Work,
  samples: Map<string, Sample>,
  signal: AbortSignal,
): Promise<void> {
  const port = await freePort()
  const child = bed.adopt(subject.start(bed, port, work.services))
  const complaints: string[] = []
  child.stderr?.on('data', (chunk) => complaints.push(String(chunk)))
  const pid = child.pid
  if (pid === undefined) throw new Error(`${subject.name}: did not start`)
  try {
    await answering(port, () => complaints.join('').trim())
    const queries = work.warmUp ?? work.load.queries
    await runDnsperf({ ...work.load, queries, port, seconds: warmUpSeconds }, signal)
    const before = readUsage(pid)
    const result = await runDnsperf({ ...work.load, port }, signal)
    const after = readUsage(pid)
    const note = (metric: string, unit: string, value: number): void => {
      const row = { subject: subject.name, work: work.title, metric, unit }
      const key = Object.values(row).join('\n')
      const sample: Sample = samples.get(key) ?? { row, values: [] }
      sample.values.push(value)
      samples.set(key, sample)
    }
    note('answers a second', '1/s', result.queriesPerSecond)
    const microseconds = (1e6 * (after.cpuSeconds - before.cpuSeconds)) / result.completed
    note('CPU of an answer', 'us', microseconds)
    note('lost', '1', result.lost)
    note('memory', 'MiB', after.residentMiB)
    if (result.latenciesMs.length > 0) {
      note('latency p50', 'ms', percentile([...result.latenciesMs], 50))
      note('latency p99', 'ms', percentile([...result.latenciesMs], 99))
      const waited = (after.waitedSeconds - before.waitedSeconds) / work.load.seconds
      note('waited for a core', '%', 100 * waited)
    }
  } finally {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
}

function rowOf({ row, values }: Sample): Row {
  return { ...row, value: significant(percentile([...values], 50)) }
}

async function openBed(): Promise<DnsBed> {
  const file = new URL('./upstream-process.ts', import.meta.url).pathname
  const upstream = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(upstream.stdout, 'data')) as [Buffer]
  const bed = new DnsBed(Number(String(line).trim()))
  bed.adopt(upstream)
  return bed
}
