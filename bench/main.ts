/** Runs benchmarks; each prints one table.
 *
 *      npm run bench -- NAME|all [--quick] [--json FILE] [--services 1000,10000] [--endpoints 10]
 *                       [--changes 500] [--rounds 2000] [--mode MODE]
 *                       [--peer KUBE-PROXY --kubeconfig FILE] [--peer-rules FILE]
 *                       [--seconds 5] [--repeat 5] [--coredns PATH]
 *                       [--engine ENGINE] [--only WORK] */
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { parseArgs } from 'node:util'
import type { EngineName } from '../src/reactor/reactor.ts'
import { dnsBenchmark } from './dns/dns.ts'
import { firstPacketBenchmark } from './first-packet/first-packet.ts'
import { relayBenchmark } from './relay/relay.ts'
import {
  type Benchmark,
  type BenchmarkMode,
  type BenchmarkOptions,
  benchmarkModes,
  type Row,
} from './support/benchmark.ts'
import { formatTable } from './support/format-table.ts'
import { describeMachine } from './support/machine.ts'
import { syncBenchmark } from './sync/sync.ts'

const benchmarks: readonly Benchmark[] = [
  syncBenchmark,
  firstPacketBenchmark,
  dnsBenchmark,
  relayBenchmark,
]

const engineNames: readonly EngineName[] = ['uring', 'epoll', 'portable']

/** Defaults, and what `--quick` makes of them: each benchmark then ends within a minute. */
const full = {
  services: '1000,10000,50000',
  endpoints: '10',
  changes: '500',
  rounds: '2000',
  seconds: '5',
  repeat: '5',
}
const quick = {
  services: '1000,10000',
  endpoints: '10',
  changes: '100',
  rounds: '500',
  seconds: '3',
  repeat: '1',
}

function usage(why: string): never {
  const names = benchmarks.map(({ name, summary }) => `  ${name}  ${summary}`).join('\n')
  process.stderr.write(
    `bench: ${why}\nusage: npm run bench -- NAME|all [--quick] [--json FILE] [--services N,N] ` +
      `[--endpoints N] [--changes N] [--rounds N] [--mode ${benchmarkModes.join('|')}] ` +
      `[--peer PATH --kubeconfig FILE] [--peer-rules FILE] ` +
      `[--seconds N] [--repeat N] [--coredns PATH] ` +
      `[--engine ${engineNames.join('|')}] [--only WORK]\n${names}\n`,
  )
  process.exit(2)
}

function parse(): {
  wanted: readonly Benchmark[]
  json: string | undefined
  options: BenchmarkOptions
} {
  const { values, positionals } = parseCommandLine()
  const [name = '', ...rest] = positionals
  const wanted = benchmarks.filter((benchmark) => name === 'all' || name === benchmark.name)
  if (wanted.length === 0 || rest.length > 0) usage(`no benchmark named "${positionals.join(' ')}"`)
  if ((values.peer === undefined) !== (values.kubeconfig === undefined)) {
    usage('--peer and --kubeconfig go together')
  }
  const defaults = values.quick === true ? quick : full
  return {
    wanted,
    json: values.json,
    options: {
      services: (values.services ?? defaults.services).split(',').map((n) => count('services', n)),
      endpoints: count('endpoints', values.endpoints ?? defaults.endpoints),
      changes: count('changes', values.changes ?? defaults.changes),
      rounds: count('rounds', values.rounds ?? defaults.rounds),
      mode: modeOf(values.mode ?? 'nftables'),
      peer: values.peer,
      kubeconfig: values.kubeconfig,
      peerRules: values['peer-rules'],
      seconds: count('seconds', values.seconds ?? defaults.seconds),
      repeat: count('repeat', values.repeat ?? defaults.repeat),
      coredns: values.coredns,
      engine: engineOf(values.engine),
      only: values.only,
    },
  }
}

function parseCommandLine() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        json: { type: 'string' },
        services: { type: 'string' },
        endpoints: { type: 'string' },
        changes: { type: 'string' },
        rounds: { type: 'string' },
        mode: { type: 'string' },
        peer: { type: 'string' },
        kubeconfig: { type: 'string' },
        'peer-rules': { type: 'string' },
        seconds: { type: 'string' },
        repeat: { type: 'string' },
        coredns: { type: 'string' },
        engine: { type: 'string' },
        only: { type: 'string' },
      },
    })
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error))
  }
}

function count(option: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) usage(`--${option}: got "${text}", expected 1..999999`)
  return Number(text)
}

function modeOf(text: string): BenchmarkMode {
  const mode = benchmarkModes.find((known) => known === text)
  return mode ?? usage(`--mode: got "${text}", expected ${benchmarkModes.join(' or ')}`)
}

function engineOf(text: string | undefined): EngineName | undefined {
  const engine = engineNames.find((known) => known === text)
  if (text === undefined || engine !== undefined) return engine
  return usage(`--engine: got "${text}", expected ${engineNames.join(' or ')}`)
}

async function run(benchmark: Benchmark): Promise<readonly Row[]> {
  const print = (line: string) => process.stderr.write(`${benchmark.name}: ${line}\n`)
  try {
    return await benchmark.run(options, print, abort.signal)
  } catch (error) {
    print(error instanceof Error ? error.message : String(error))
    process.exit(1)
  }
}

const { wanted, json, options } = parse()
const abort = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => abort.abort())
const machine = describeMachine()
const results = []
for (const benchmark of wanted) {
  const rows = await run(benchmark)
  process.stdout.write(`${formatTable(rows)}\n`)
  results.push({ benchmark: benchmark.name, machine, rows })
}
// One benchmark is one object; several, also by `all`, are a list of such objects.
const document = process.argv.includes('all') ? results : results[0]
if (json !== undefined) writeFileSync(json, `${JSON.stringify(document, undefined, 2)}\n`)
