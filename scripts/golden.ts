/** Compares what Portolan does with recorded data of the originals.
 *
 *      node scripts/golden.ts proxy DIR... [--seed N] [--mode nftables|iptables|ipvs|userspace] [--verbose]
 *      node scripts/golden.ts dns DIR...
 *
 *  DIR is a scenario (it holds scenario.json, or for dns a Corefile) or a folder of scenarios. Prints every
 *  difference that is not accepted, then counts; ends with `golden NAME: EQUAL of TOTAL`. Exit status 1 when
 *  something differs or cannot be read, 2 for wrong usage. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { isDnsScenario, loadDnsScenario } from '../test/golden/dns/dns-scenario.ts'
import { type DnsRun, runDnsScenario } from '../test/golden/dns/run-dns-scenario.ts'
import { runScenario } from '../test/golden/run-scenario.ts'
import { isScenario, loadScenario } from '../test/golden/scenario.ts'
import {
  iptablesSubject,
  ipvsSubject,
  planSubject,
  programSubject,
  type Subject,
  userspaceSubject,
} from '../test/golden/subjects.ts'
import { Tally } from '../test/golden/tally.ts'

const usage = `usage: golden proxy DIR... [--seed N] [--mode nftables|iptables|ipvs|userspace] [--verbose]
       golden dns DIR...`

/** What is compared beside the plan, by mode. */
const programs: Readonly<Record<string, Subject>> = {
  nftables: programSubject,
  iptables: iptablesSubject,
  ipvs: ipvsSubject,
  userspace: userspaceSubject,
}

class UsageError extends Error {}

interface GoldenOptions {
  readonly subcommand: 'proxy' | 'dns'
  readonly directories: readonly string[]
  readonly program: Subject
  readonly seed: number
  readonly isVerbose: boolean
}

function readArguments(): GoldenOptions {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      mode: { type: 'string', default: 'nftables' },
      verbose: { type: 'boolean', default: false },
    },
  })
  const [subcommand, ...directories] = positionals
  if (subcommand !== 'proxy' && subcommand !== 'dns') {
    throw new UsageError(`${subcommand ?? 'no subcommand'}: not available, only: proxy, dns`)
  }
  if (directories.length === 0) throw new UsageError('no DIR given')
  const program = programs[values.mode]
  if (program === undefined) {
    const available = Object.keys(programs).join(', ')
    throw new UsageError(`--mode ${values.mode}: not available, only: ${available}`)
  }
  const seed = Number(values.seed)
  if (!Number.isSafeInteger(seed)) throw new UsageError(`--seed ${values.seed}: not a whole number`)
  return { subcommand, directories, program, seed, isVerbose: values.verbose }
}

function scenarioDirectories(
  directory: string,
  isOne: (directory: string) => boolean,
): readonly string[] {
  if (!existsSync(directory)) throw new UsageError(`${directory}: there is no such folder`)
  if (isOne(directory)) return [directory]
  const found = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isOne(join(directory, entry.name)))
    .map((entry) => join(directory, entry.name))
    .sort()
  if (found.length === 0) throw new UsageError(`${directory}: no scenario in it or below it`)
  return found
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function compareProxy({ directories, program, seed, isVerbose }: GoldenOptions): number {
  const tally = new Tally()
  print(`seed ${seed}`)
  const subjects = [planSubject, program]
  for (const directory of directories.flatMap((each) => scenarioDirectories(each, isScenario))) {
    runScenario(loadScenario(directory), { seed, subjects, tally, print, isVerbose })
  }
  for (const line of tally.lines()) print(line)
  return tally.equal < tally.total ? 1 : 0
}

async function compareDns({ directories }: GoldenOptions): Promise<number> {
  const run: DnsRun = { equal: 0, total: 0, print }
  for (const directory of directories.flatMap((each) => scenarioDirectories(each, isDnsScenario))) {
    const before = { ...run }
    const scenario = loadDnsScenario(directory)
    await runDnsScenario(scenario, run)
    const [equal, total] = [run.equal - before.equal, run.total - before.total]
    print(`${scenario.name}: ${equal} of ${total} answers equal`)
  }
  print(`golden dns: ${run.equal} of ${run.total}`)
  return run.equal < run.total ? 1 : 0
}

try {
  const options = readArguments()
  process.exitCode =
    options.subcommand === 'dns' ? await compareDns(options) : compareProxy(options)
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const isUsage = error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS')
  process.stderr.write(`golden: ${error instanceof Error ? error.message : String(error)}\n`)
  if (isUsage) process.stderr.write(`${usage}\n`)
  process.exitCode = isUsage ? 2 : 1
}
