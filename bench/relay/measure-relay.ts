/** Measures all relays in this process and its children; prints rows as one line of JSON. Must run in a network
 *  namespace of its own, because it takes fixed ports. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import type { EngineName } from '../../src/reactor/reactor.ts'
import type { Row } from '../support/benchmark.ts'
import { startBackends } from './backends.ts'
import { compareSamples, type Sample } from './compare-samples.ts'
import { ownSubject } from './own-subject.ts'
import { peerSubjects, referenceName } from './peer-subjects.ts'
import { accepting, RelayBed } from './relay-bed.ts'
import { relayPorts } from './relay-ports.ts'
import type { RelaySubject } from './relay-subject.ts'
import { type Figure, type RelayWork, relayWorks } from './relay-works.ts'

/** What the parent asks for. */
export interface RelayOrder {
  readonly seconds: number
  readonly repeat: number
  readonly engine: EngineName | undefined
  readonly only: string | undefined
}

/** Descriptors of a relay beside those of its connections. */
const otherDescriptors = 300
const wantedIdle = 10_000

interface RoundSample extends Sample {
  readonly values: number[]
}

function print(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Two descriptors each. */
function idleConnections(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const hard = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1] ?? wantedIdle)
  const possible = Math.floor((hard - otherDescriptors) / 200) * 100
  if (possible < wantedIdle)
    print(`the limit of open files, ${hard}, allows ${possible} connections`)
  return Math.min(wantedIdle, possible)
}

function subjectsOf({ engine }: RelayOrder): readonly RelaySubject[] {
  const engines: readonly EngineName[] =
    engine === undefined ? ['uring', 'epoll', 'portable'] : [engine]
  const own = engines.map((name) => ownSubject(name, print))
  return [...own.filter((subject) => subject !== undefined), ...peerSubjects(print)]
}

function worksOf({ only }: RelayOrder): readonly RelayWork[] {
  const works = relayWorks(idleConnections())
  const wanted = works.filter(({ name }) => only === undefined || name === only)
  if (wanted.length > 0) return wanted
  throw new Error(
    `--only: no work is named "${only}"; there are ${works.map(({ name }) => name).join(', ')}`,
  )
}

async function measureAll(order: RelayOrder, bed: RelayBed): Promise<readonly Row[]> {
  const [subjects, works] = [subjectsOf(order), worksOf(order)]
  const samples = new Map<string, RoundSample>()
  await startBackends(bed)
  // Interleaved, so that a change of the machine meets all of them.
  for (let round = 0; round < order.repeat; round++) {
    // Each goes first in turn.
    const first = round % subjects.length
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      const relay = await subject.start(bed)
      await accepting(relayPorts.relay)
      for (const work of works) {
        if (!subject.relays.includes(work.protocol)) continue
        print(`round ${round + 1}: ${subject.name}: ${work.title}`)
        const signal = AbortSignal.timeout(60_000)
        const figures = await work.measure({ bed, relay, seconds: order.seconds, signal })
        for (const figure of figures) note(samples, subject.name, work.title, figure)
      }
      await relay.stop()
    }
  }
  return compareSamples([...samples.values()], { subject: referenceName, title: 'haproxy' })
}

function note(
  samples: Map<string, RoundSample>,
  subject: string,
  work: string,
  figure: Figure,
): void {
  const key = JSON.stringify([work, figure.metric, subject])
  const sample = samples.get(key) ?? { subject, work, figure, values: [] }
  sample.values.push(figure.value)
  samples.set(key, sample)
}

const bed = new RelayBed()
try {
  spawnSync('ip', ['link', 'set', 'lo', 'up'])
  const rows = await measureAll(JSON.parse(process.argv[2] ?? '{}'), bed)
  process.stdout.write(`${JSON.stringify(rows)}\n`)
} catch (error) {
  print(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
} finally {
  bed.close()
}
