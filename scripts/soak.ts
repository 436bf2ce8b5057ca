/** Runs the name server for a long time under everything that happens to one at once: queries that never
 *  pause, packets that are no queries, an upstream that fails in every way, endpoints that change, reloads.
 *  Queries about the cluster must not be lost, answers must follow the objects, memory must not grow.
 *
 *      npm run soak [-- --seconds N] [--workers N] */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startFaultyServer } from '../test/dns/upstream/faulty-server.ts'
import { type Counts, startLoad } from './soak/dns-load.ts'
import { failingUpstream } from './soak/failing-upstream.ts'
import { SoakedServer } from './soak/soaked-server.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    workers: { type: 'string', default: '1' },
  },
})
const endMs = performance.now() + Number(values.seconds) * 1_000

/** Between two changes, two reloads, two lines of the report. */
const changeMs = 500
const reloadEvery = 10
const reportEvery = 20
/** The last third may need so much more memory than the second: the collector is lazy. It takes minutes until
 *  it has seen each kind of garbage, so shorter runs are not judged. */
const allowedGrowth = 1.15
const judgedSeconds = 300

const mainFile = new URL('../src/cli/main.ts', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'portolan-soak-'))
const faults: string[] = []
const memory: { readonly atMs: number; readonly bytes: number }[] = []
const upstream = await startFaultyServer(failingUpstream('udp'), failingUpstream('tcp'))
const server = new SoakedServer(folder, upstream.port)
const words = [mainFile, 'dns', ...server.words, '--workers', values.workers]
const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] })
const ended = once(child, 'exit')
const isDead = (): boolean => child.exitCode !== null || child.signalCode !== null

await Promise.race([server.untilReady(), ended])
const load = startLoad(server.port)
const startMs = performance.now()
for (let turn = 1; performance.now() < endMs && !isDead(); turn++) {
  await wait(changeMs)
  const stale = await server.change()
  if (stale !== undefined) faults.push(stale)
  if (turn % reloadEvery === 0) {
    server.rewrite()
    child.kill('SIGHUP')
  }
  if (turn % reportEvery !== 0) continue
  const bytes = await server.memoryBytes()
  memory.push({ atMs: performance.now(), bytes })
  print(load.counts, bytes)
}
const counts = await load.end()
if (isDead()) faults.push(`the server ended: ${child.exitCode ?? child.signalCode}`)
child.kill('SIGTERM')
await ended
await upstream[Symbol.asyncDispose]()
rmSync(folder, { recursive: true })

if (counts.lost > 0) faults.push(`${counts.lost} queries about the cluster were lost`)
if (counts.wrong > 0) faults.push(`${counts.wrong} answers were not what they should be`)
const [second, last] = [meanBytes(1), meanBytes(2)]
const isJudged = Number(values.seconds) >= judgedSeconds
if (isJudged && last > second * allowedGrowth)
  faults.push(`memory grew from ${second} to ${last} bytes`)
for (const fault of faults) process.stdout.write(`FOUND ${fault}\n`)
process.stdout.write(`soak dns: ${faults.length === 0 ? 'clean' : `${faults.length} findings`}\n`)
process.exitCode = faults.length === 0 ? 0 : 1

/** Mean memory in a third of the time, counted from 0. */
function meanBytes(third: number): number {
  const thirdMs = (endMs - startMs) / 3
  const samples = memory.filter(({ atMs }) => Math.floor((atMs - startMs) / thirdMs) === third)
  return Math.round(samples.reduce((sum, { bytes }) => sum + bytes, 0) / samples.length)
}

function print({ answered, forwarded, failed, lost, wrong }: Counts, bytes: number): void {
  const seconds = Math.round((performance.now() - startMs) / 1_000)
  process.stdout.write(
    `${seconds} s: ${answered} answers about the cluster, ${lost} lost, ${wrong} wrong; ` +
      `${forwarded} forwarded, ${failed} failed; ${(bytes / 2 ** 20).toFixed(0)} MiB\n`,
  )
}
