/** Feeds changed inputs to every decoder of foreign data. A decoder may give a value or refuse with
 *  its own error; anything else, and any hang, is a finding and the exit code is 1. With `relay`: sends
 *  random peers through the relay of each engine of the reactor instead.
 *
 *      npm run fuzz [-- --runs N] [--seconds N] [--seed S] [--only TARGET] [--at INDEX]
 *      npm run fuzz -- relay [--runs N] [--seconds N] [--seed S] [--engine ENGINE] */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { type Finding, runInput } from './fuzz/fuzz-target.ts'
import { fuzzedEngines, fuzzRelay } from './fuzz/relay/fuzz-relay.ts'
import { runTarget } from './fuzz/run-target.ts'
import { canaryTargets, findTarget, fuzzTargets } from './fuzz/targets.ts'

const usage = `usage: npm run fuzz [-- --runs N] [--seconds N] [--seed S] [--only TARGET] [--at INDEX]
       npm run fuzz -- relay [--runs N] [--seconds N] [--seed S] [--engine ENGINE]`

const options = {
  runs: { type: 'string' },
  seconds: { type: 'string', default: '900' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000_007) },
  only: { type: 'string' },
  at: { type: 'string' },
  engine: { type: 'string' },
  help: { type: 'boolean' },
} as const

const { values, positionals } = parseOptions()
const seed = Number(values.seed)
const targets = values.only === undefined ? fuzzTargets : [findTarget(values.only)]
const totalShare = targets.reduce((sum, target) => sum + target.share, 0)
const abort = new AbortController()
const timer = setTimeout(() => abort.abort(), Number(values.seconds) * 1000)
let findings = 0

function parseOptions(): ReturnType<
  typeof parseArgs<{ options: typeof options; allowPositionals: true }>
> {
  try {
    const parsed = parseArgs({ options, allowPositionals: true })
    const [subject, ...rest] = parsed.positionals
    if ((subject !== undefined && subject !== 'relay') || rest.length > 0) {
      throw new Error(`there is nothing named "${parsed.positionals.join(' ')}" to fuzz`)
    }
    const { engine } = parsed.values
    if (engine !== undefined && !fuzzedEngines.some((name) => name === engine)) {
      throw new Error(`--engine: got "${engine}", expected ${fuzzedEngines.join(' or ')}`)
    }
    if (parsed.values.help !== true) return parsed
    process.stdout.write(`${usage}\n`)
    process.exit(0)
  } catch (error) {
    process.stderr.write(`fuzz: ${error instanceof Error ? error.message : error}\n${usage}\n`)
    process.exit(2)
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function printFinding(finding: Finding): void {
  print(`FOUND ${finding.target}, input ${finding.index}: ${finding.error}`)
  if (finding.input !== '') print(`  input: ${finding.input}`)
  print(
    `  again: npm run fuzz -- --only "${finding.target}" --seed ${finding.seed} --at ${finding.index}`,
  )
}

async function checkCanaries(): Promise<void> {
  for (const canary of canaryTargets) {
    const order = { target: canary.name, seed, first: 0, count: 100_000 }
    const finding = await runTarget(order, new AbortController().signal)
    print(`canary ${canary.name}: ${finding === undefined ? 'NOT FOUND' : 'found, as it must be'}`)
    if (finding === undefined) findings++
  }
}

print(`seed ${seed}`)
if (positionals[0] === 'relay') {
  const { engine } = values
  const count = Number(values.runs ?? 100_000)
  findings += await fuzzRelay({ seed, count, engine }, print, abort.signal)
} else if (values.at !== undefined) {
  for (const target of targets) {
    const finding = runInput(target, seed, Number(values.at))
    if (finding !== undefined) printFinding(finding)
    findings += finding === undefined ? 0 : 1
  }
} else {
  await checkCanaries()
  for (const target of targets) {
    const share = Math.ceil((Number(values.runs ?? 1_000_000) * target.share) / totalShare)
    const least = values.runs === undefined ? (target.leastRuns?.fuzz ?? 0) : 0
    const count = Math.max(share, least)
    const start = performance.now()
    const finding = await runTarget({ target: target.name, seed, first: 0, count }, abort.signal)
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    const end = abort.signal.aborted ? 'out of time' : `${count} inputs`
    print(`${target.name}: ${end}, ${seconds} s`)
    if (finding === undefined) continue
    printFinding(finding)
    findings++
  }
}
clearTimeout(timer)
print(`fuzz: ${findings === 0 ? 'clean' : `${findings} findings`}`)
process.exitCode = findings === 0 && !abort.signal.aborted ? 0 : 1
