import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { findBinary } from '../../scripts/support/find-binary.ts'
import { relayPorts } from './relay-ports.ts'

/** What wrk is to do. */
export interface HttpLoad {
  readonly path: string
  readonly connections: number
  readonly seconds: number
  /** Every request on a connection of its own. */
  readonly closes?: boolean
}

/** What it found. */
export interface HttpResult {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Microseconds of each unit that wrk prints. */
const units = { us: 1, ms: 1_000, s: 1e6, m: 6e7 } as const

/** Loads the relay with one thread of wrk. Rejects when it is not installed, and when anything failed. */
export async function runWrk(load: HttpLoad, signal: AbortSignal): Promise<HttpResult> {
  const path = findBinary('wrk')
  if (path === undefined) throw new Error('wrk is not installed: apt-get install wrk')
  const words = [
    ...['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--latency'],
    ...(load.closes === true ? ['-H', 'Connection: close'] : []),
    `http://127.0.0.1:${relayPorts.relay}${load.path}`,
  ]
  const child = spawn(path, words, { stdio: ['ignore', 'pipe', 'pipe'], signal })
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])
  return parseWrk(output, complaint)
}

/** Reads the report of `wrk --latency`. Throws when it has errors in it, or no figures. */
export function parseWrk(output: string, complaint = ''): HttpResult {
  // What only came late shows in the latencies.
  const errors = /Socket errors: (?!connect 0, read 0, write 0,).*|Non-2xx.*/.exec(output)?.[0]
  const requests = /(\d+) requests in/.exec(output)?.[1]
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]
  if (errors !== undefined || requests === undefined || rate === undefined) {
    throw new Error(`wrk: ${errors ?? (complaint.trim() || output)}`)
  }
  return {
    requests: Number(requests),
    requestsPerSecond: Number(rate),
    p50Ms: latencyMs(output, 50),
    p99Ms: latencyMs(output, 99),
  }
}

function latencyMs(output: string, percent: number): number {
  const [, value, unit] =
    new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(output) ?? []
  return Math.round(Number(value) * units[unit as keyof typeof units]) / 1_000
}
