import { readdirSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { Protocol } from '../../src/net/protocol.ts'
import { percentile } from '../support/percentile.ts'
import { readUsage } from '../support/process-usage.ts'
import { answerBytes } from './backends.ts'
import { measureChanges } from './measure-changes.ts'
import type { RelayBed } from './relay-bed.ts'
import { relayPorts } from './relay-ports.ts'
import type { RunningRelay } from './relay-subject.ts'
import { type HttpLoad, runWrk } from './run-wrk.ts'
import type { UdpLoadResult } from './udp-load.ts'

/** What a work is done with. */
export interface WorkScene {
  readonly bed: RelayBed
  readonly relay: RunningRelay
  readonly seconds: number
  readonly signal: AbortSignal
}

/** One figure of one run. */
export interface Figure {
  readonly metric: string
  readonly unit: string
  readonly value: number
}

/** Something that relays are loaded with. */
export interface RelayWork {
  /** For `--only`. */
  readonly name: string
  readonly title: string
  readonly protocol: Protocol
  measure(scene: WorkScene): Promise<readonly Figure[]>
}

const connections = 50
const changes = 100
/** Sockets of the UDP load, and datagrams of each that are under way. */
const flows = 16
const window = 16

/** All works. `idle` comes first, in a process that has done nothing yet. */
export function relayWorks(idleConnections: number): readonly RelayWork[] {
  return [
    {
      name: 'idle',
      title: `${idleConnections} idle connections`,
      protocol: 'TCP',
      measure: (scene) => measureIdle(scene, idleConnections),
    },
    {
      name: 'keep-alive',
      title: `keep-alive, ${connections} connections`,
      protocol: 'TCP',
      measure: (scene) => measureHttp(scene, { path: '/' }),
    },
    {
      name: 'large',
      title: '100 KB answers',
      protocol: 'TCP',
      measure: (scene) => measureHttp(scene, { path: '/large' }),
    },
    {
      name: 'bulk',
      title: '1 GiB in one connection',
      protocol: 'TCP',
      measure: measureBulk,
    },
    {
      name: 'new',
      title: 'new connection each',
      protocol: 'TCP',
      measure: (scene) => measureHttp(scene, { path: '/', closes: true }),
    },
    { name: 'udp', title: 'UDP echo', protocol: 'UDP', measure: measureUdp },
    {
      name: 'change',
      title: 'endpoint changed',
      protocol: 'TCP',
      measure: async ({ relay }) => {
        const tookMs = await measureChanges(relay, changes)
        return [
          { metric: 'to first flow, p50', unit: 'ms', value: percentile(tookMs, 50) },
          { metric: 'to first flow, p99', unit: 'ms', value: percentile(tookMs, 99) },
        ]
      },
    },
  ]
}

/** Gives what `body` does and the CPU that the relay took for it, seconds. */
async function withCpu<T>(
  { relay }: WorkScene,
  body: () => Promise<T>,
): Promise<readonly [T, number]> {
  const before = readUsage(relay.pid).cpuSeconds
  const result = await body()
  return [result, readUsage(relay.pid).cpuSeconds - before]
}

async function measureHttp(
  scene: WorkScene,
  load: Pick<HttpLoad, 'path' | 'closes'>,
): Promise<readonly Figure[]> {
  const { seconds, signal } = scene
  // Engines compile, connections of the load before end.
  await runWrk({ ...load, connections, seconds: 1 }, signal)
  const [result, cpuSeconds] = await withCpu(scene, () =>
    runWrk({ ...load, connections, seconds }, signal),
  )
  const what = load.closes === true ? 'connections' : 'requests'
  return [
    { metric: `${what} a second`, unit: '1/s', value: result.requestsPerSecond },
    { metric: 'latency p50', unit: 'ms', value: result.p50Ms },
    { metric: 'latency p99', unit: 'ms', value: result.p99Ms },
    { metric: 'CPU of one', unit: 'us', value: (1e6 * cpuSeconds) / result.requests },
  ]
}

async function measureBulk(scene: WorkScene): Promise<readonly Figure[]> {
  const [tookMs, cpuSeconds] = await withCpu(scene, async () => {
    const { child, line } = await scene.bed.script(new URL('./bulk-client.ts', import.meta.url), {
      port: relayPorts.relay,
      bytes: answerBytes.bulk,
    })
    await scene.bed.stop(child)
    return Number(line)
  })
  const gigabytes = answerBytes.bulk / 1e9
  return [
    { metric: 'throughput', unit: 'GB/s', value: (1e3 * gigabytes) / tookMs },
    { metric: 'CPU of a GB', unit: 's', value: cpuSeconds / gigabytes },
  ]
}

async function measureIdle(scene: WorkScene, count: number): Promise<readonly Figure[]> {
  const descriptors = countDescriptors(scene.relay.pid)
  const before = readUsage(scene.relay.pid).residentMiB
  const { child } = await scene.bed.script(new URL('./idle-clients.ts', import.meta.url), {
    port: relayPorts.relay,
    count,
  })
  const megabytes = 1.048576 * (readUsage(scene.relay.pid).residentMiB - before)
  await scene.bed.stop(child)
  // Closing them all would be part of what is measured next.
  for (let turn = 0; turn < 300 && countDescriptors(scene.relay.pid) > descriptors; turn++) {
    await wait(100)
  }
  return [{ metric: 'memory over the idle process', unit: 'MB', value: megabytes }]
}

function countDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

async function measureUdp(scene: WorkScene): Promise<readonly Figure[]> {
  const order = { port: relayPorts.relay, flows, window, seconds: scene.seconds }
  const [{ roundTrips, lost }, cpuSeconds] = await withCpu(scene, async () => {
    const { child, line } = await scene.bed.script(new URL('./udp-load.ts', import.meta.url), order)
    await scene.bed.stop(child)
    const result: UdpLoadResult = JSON.parse(line)
    return result
  })
  return [
    { metric: 'echoes a second', unit: '1/s', value: roundTrips / scene.seconds },
    { metric: 'packets relayed a second', unit: '1/s', value: (2 * roundTrips) / scene.seconds },
    { metric: 'CPU of an echo', unit: 'us', value: (1e6 * cpuSeconds) / roundTrips },
    { metric: 'lost', unit: '1', value: lost },
  ]
}
