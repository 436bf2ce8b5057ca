/** Measures one size in this process and network namespace; prints rows, or for `restart` the rows of a
 *  new process over the rules that are there, as one line of JSON. */
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { boundMemory, releaseMemory } from '../../src/cli/process-memory.ts'
import type { Mechanism } from '../../src/proxy/port/mechanism.ts'
import { benchmarkModes, type Row } from '../support/benchmark.ts'
import {
  addressesOf,
  generatedNamespace,
  replacementAddress,
  serviceJson,
  sliceJson,
} from '../support/generate-cluster.ts'
import { openMeasured, restoreProgramOf } from '../support/open-measured.ts'
import { distribution, significant } from '../support/percentile.ts'
import { measureFloor } from './measure-floor.ts'
import { ProxyUnderTest } from './proxy-under-test.ts'

const [task = '', mode = '', ...figures] = process.argv.slice(2)
const subject = `portolan ${mode}`
const [services = 0, endpoints = 0, changes = 0] = figures.map(Number)
const size = `${services}x${endpoints}`

/** A single change: what to do the `turn`th time to service number `index`, and how to undo it. */
interface Change {
  readonly work: string
  apply(proxy: ProxyUnderTest, index: number, turn: number): ReturnType<ProxyUnderTest['apply']>
  undo?: (proxy: ProxyUnderTest, index: number, turn: number) => Promise<unknown>
}

function slice(index: number, addresses: readonly string[], turn: number, step: string) {
  return sliceJson(index, addresses, `${turn}-${step}`)
}

const changesToMeasure: readonly Change[] = [
  {
    work: 'one endpoint replaced',
    apply: (proxy, index, turn) => {
      const [, ...others] = addressesOf(index, endpoints)
      return proxy.apply([slice(index, [replacementAddress(turn), ...others], turn, 'replace')])
    },
    undo: (proxy, index, turn) =>
      proxy.apply([slice(index, addressesOf(index, endpoints), turn, 'back')]),
  },
  {
    work: 'scale +1',
    apply: (proxy, index, turn) => {
      const addresses = [...addressesOf(index, endpoints), replacementAddress(turn)]
      return proxy.apply([slice(index, addresses, turn, 'more')])
    },
  },
  {
    work: 'scale -1',
    apply: (proxy, index, turn) =>
      proxy.apply([slice(index, addressesOf(index, endpoints), turn, 'less')]),
  },
  {
    work: 'service added',
    apply: (proxy, _, turn) => {
      const index = services + turn
      const addresses = addressesOf(index, endpoints)
      return proxy.apply([serviceJson(index), slice(index, addresses, turn, 'new')])
    },
  },
  {
    work: 'service removed',
    apply: (proxy, _, turn) => {
      const key = `${generatedNamespace}/service-${services + turn}`
      return proxy.remove(key, `${key}-1`)
    },
  },
]

function openSubject(): Promise<Mechanism> {
  const known = benchmarkModes.find((name) => name === mode)
  if (known === undefined) throw new Error(`bench: no mode ${mode}`)
  return openMeasured(known)
}

/** Changes that are made and not counted, until the engine has compiled what they run through, and the time
 *  after which there are no more. */
const warmUpChanges = 200
const warmUpMs = 5_000

async function warmUp(proxy: ProxyUnderTest): Promise<void> {
  const [replace] = changesToMeasure
  const end = performance.now() + warmUpMs
  for (let turn = 0; turn < warmUpChanges && performance.now() < end; turn++) {
    const index = (turn * 7919) % services
    await replace?.apply(proxy, index, turn + changes)
    await replace?.undo?.(proxy, index, turn + changes)
  }
}

async function measureChange(proxy: ProxyUnderTest, change: Change): Promise<Row[]> {
  const times: number[] = []
  const bytes: number[] = []
  for (let turn = 0; turn < changes; turn++) {
    // Spread over the cluster: a change must not profit from its predecessor's.
    const index = (turn * 7919) % services
    const measured = await change.apply(proxy, index, turn)
    times.push(measured.tookMs)
    bytes.push(measured.bytes)
    await change.undo?.(proxy, index, turn)
  }
  const work = `${size} ${change.work}`
  return [
    { subject, work, metric: 'event to ack', unit: 'ms', ...distribution(times) },
    { subject, work, metric: 'bytes sent', unit: 'bytes', ...distribution(bytes) },
  ]
}

async function measureCold(): Promise<Row[]> {
  const proxy = new ProxyUnderTest(await openSubject())
  proxy.load({ services, endpoints })
  const { tookMs, bytes } = await proxy.start()
  const peak = significant((process.resourceUsage().maxRSS * 1_024) / 1e6)
  // As the daemon does after its first synchronisation.
  releaseMemory()
  const work = `${size} cold sync`
  const rss = significant(proxy.residentMegabytes())
  const rows: Row[] = [
    { subject, work, metric: 'lists to ack', unit: 'ms', value: significant(tookMs) },
    { subject, work, metric: 'bytes sent', unit: 'bytes', value: bytes },
    { subject, work, metric: 'RSS, largest', unit: 'MB', value: peak },
    { subject, work, metric: 'RSS', unit: 'MB', value: rss },
  ]
  await warmUp(proxy)
  await measureChangesOf(proxy, rows)
  const rest = significant(proxy.residentMegabytes())
  rows.push({ subject, work: `${size} all changes`, metric: 'RSS', unit: 'MB', value: rest })
  await proxy.close()
  return [...rows, ...floorRows(), ...restartRows()]
}

async function measureChangesOf(proxy: ProxyUnderTest, rows: Row[]): Promise<void> {
  for (const change of changesToMeasure) rows.push(...(await measureChange(proxy, change)))
}

async function measureRestart(): Promise<Row[]> {
  const proxy = new ProxyUnderTest(await openSubject())
  proxy.load({ services, endpoints })
  const { tookMs, transactions } = await proxy.start()
  await proxy.close()
  const work = `${size} restart, nothing to do`
  return [
    { subject, work, metric: 'lists to ack', unit: 'ms', value: significant(tookMs) },
    { subject, work, metric: 'kernel writes', unit: 'transactions', value: transactions },
  ]
}

/** What changes are to be compared with where a program makes them. */
function floorRows(): Row[] {
  const program = restoreProgramOf(benchmarkModes.find((name) => name === mode) ?? 'nftables')
  if (program === undefined) return []
  const work = `${size} one rule added by hand`
  const times = measureFloor(program, Math.min(changes, 20))
  return [{ subject: program, work, metric: 'start to end', unit: 'ms', ...times }]
}

function restartRows(): Row[] {
  const args = [...process.execArgv, process.argv[1] ?? '', 'restart', mode, ...figures]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`restart ended with ${status}: ${stderr}`)
  return JSON.parse(stdout)
}

// As the daemon does when it starts.
boundMemory()
const rows = task === 'restart' ? await measureRestart() : await measureCold()
process.stdout.write(`${JSON.stringify(rows)}\n`)
