/** Measures one size in this process; prints rows as one line of JSON. Must run in a network namespace of
 *  its own, because it makes others. */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import type { BenchmarkMode, Row } from '../support/benchmark.ts'
import type { GeneratedProtocol } from '../support/generate-cluster.ts'
import { distribution, significant } from '../support/percentile.ts'
import type { PeerFiles } from '../sync/with-peer-cluster.ts'
import { type Destination, Lane } from './lane.ts'
import {
  bareSubject,
  type LaneSubject,
  linearSubject,
  ownSubject,
  peerSubject,
  recordedSubject,
} from './lane-subjects.ts'
import { parsePeerRules } from './peer-rules.ts'
import { openTcp } from './tcp.ts'
import { openUdp } from './udp.ts'

/** What the parent asks for. */
export interface FirstPacketOrder {
  readonly mode: BenchmarkMode
  readonly services: number
  readonly endpoints: number
  readonly protocol: GeneratedProtocol
  readonly rounds: number
  /** File of recorded rules; undefined: none. */
  readonly peerRules: string | undefined
  /** A kube-proxy and its way to the API server; undefined: none. */
  readonly peer: ({ readonly binary: string } & PeerFiles) | undefined
}

/** No service has it: a packet to it passes all rules that lead to services. */
const noService: Destination = { address: '10.255.255.1', port: 8080 }

/** Rounds of one lane before the next has its turn, so that a slow moment of the machine meets all. */
const roundsOfTurn = 50

/** Lets the engine compile, and fills caches; not counted. */
const warmUpRounds = 100

interface OpenLane {
  readonly subject: LaneSubject
  readonly lane: Lane
  readonly destinations: readonly Destination[]
  /** Microseconds, by destination. */
  readonly times: readonly number[][]
}

const places = ['first', 'middle', 'last', 'no service'] as const

function subjectsOf(order: FirstPacketOrder): readonly LaneSubject[] {
  const { mode, peer, peerRules, protocol } = order
  const subjects = [ownSubject(mode, order), linearSubject(order), bareSubject(order)]
  if (peer !== undefined) subjects.push(peerSubject(mode, order, peer))
  if (peerRules === undefined) return subjects
  const text = readFileSync(peerRules, 'utf8')
  return [...subjects, recordedSubject(parsePeerRules(text, peerRules, protocol))]
}

async function openLane(subject: LaneSubject, protocol: GeneratedProtocol): Promise<OpenLane> {
  const transport = protocol === 'TCP' ? openTcp() : openUdp()
  const lane = await Lane.open(transport, new Set([...subject.ports, noService.port]))
  const all = await lane.onNode(subject.load)
  const wanted = [all.at(0), all.at(all.length >> 1), all.at(-1), noService]
  const destinations = wanted.filter((each) => each !== undefined)
  await lane.reach(destinations, warmUpRounds)
  return { subject, lane, destinations, times: destinations.map(() => []) }
}

async function measure({ lane, destinations, times }: OpenLane, rounds: number): Promise<void> {
  const found = await lane.reach(destinations, rounds)
  for (const [index, each] of found.entries()) times[index]?.push(...each)
}

function rowsOf(
  { subject: { subject, size }, times }: OpenLane,
  protocol: GeneratedProtocol,
): Row[] {
  const work = `${size} first packet, ${protocol}`
  const what = protocol === 'TCP' ? 'connect' : 'datagram'
  const figures = times.map((each) => distribution(each))
  const [first, , last] = figures
  const rows = figures.map((each, index): Row => {
    return { subject, work, metric: `${what}, ${places[index]}`, unit: 'us', ...each }
  })
  const ratio = significant((last?.p50 ?? 0) / (first?.p50 ?? 1))
  return [...rows, { subject, work, metric: 'last / first', unit: 'x', value: ratio }]
}

async function measureAll(order: FirstPacketOrder): Promise<Row[]> {
  const lanes: OpenLane[] = []
  for (const subject of subjectsOf(order)) lanes.push(await openLane(subject, order.protocol))
  for (let round = 0; round < order.rounds; round += roundsOfTurn) {
    for (const lane of lanes) await measure(lane, Math.min(roundsOfTurn, order.rounds - round))
  }
  for (const { lane, subject } of lanes) {
    subject.close?.()
    lane.close()
  }
  return lanes.flatMap((lane) => rowsOf(lane, order.protocol))
}

try {
  const rows = await measureAll(JSON.parse(process.argv[2] ?? '{}'))
  process.stdout.write(`${JSON.stringify(rows)}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  // A peer that runs would keep this process.
  process.exit(1)
}
