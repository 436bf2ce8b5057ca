import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { findBinary } from '../../scripts/support/find-binary.ts'

/** How a server is loaded. */
export interface Load {
  readonly port: number
  /** Path of the queries. */
  readonly queries: string
  readonly seconds: number
  /** Queries a second at most; undefined: as many as 200 outstanding ones allow. */
  readonly rate?: number
  /** Go through the queries once at most. */
  readonly isOnce?: boolean
}

/** What came of it. */
export interface LoadResult {
  readonly queriesPerSecond: number
  readonly completed: number
  readonly lost: number
  /** Milliseconds of every answer, only at a limited rate. */
  readonly latenciesMs: readonly number[]
}

/** Outstanding queries and the addresses that they come from, as the issue of the figure says. */
const outstanding = '200'
const clients = '20'

/** Runs dnsperf against 127.0.0.1. Rejects when it is not installed or fails. */
export async function runDnsperf(load: Load, signal: AbortSignal): Promise<LoadResult> {
  const path = findBinary('dnsperf')
  if (path === undefined) {
    throw new Error('dnsperf is not installed: apt-get install dnsperf')
  }
  const words = [
    ...['-s', '127.0.0.1', '-p', `${load.port}`, '-d', load.queries, '-l', `${load.seconds}`],
    ...['-q', outstanding, '-c', clients, '-T', '1'],
    ...(load.rate === undefined ? [] : ['-Q', `${load.rate}`, '-v']),
    ...(load.isOnce === true ? ['-n', '1'] : []),
  ]
  const child = spawn(path, words, { stdio: ['ignore', 'pipe', 'pipe'], signal })
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])
  const rate = /Queries per second:\s+([\d.]+)/.exec(output)?.[1]
  if (rate === undefined) throw new Error(`dnsperf gave no figures: ${complaint.trim()}`)
  const latenciesMs =
    load.rate === undefined
      ? []
      : [...output.matchAll(/^> [A-Z]+ .* ([\d.]+)$/gm)].map((match) => 1_000 * Number(match[1]))
  return {
    queriesPerSecond: Number(rate),
    completed: number(output, 'Queries completed'),
    lost: number(output, 'Queries lost'),
    latenciesMs,
  }
}

function number(output: string, title: string): number {
  return Number(new RegExp(`${title}:\\s+(\\d+)`).exec(output)?.[1] ?? 0)
}
