/** Runs everything that must hold: lint and format, types, and every test file in a process of its
 *  own. Ends with `N passed, N failed, N skipped`; exits 1 when something failed.
 *
 *      node scripts/test.ts [--only TEXT]     only test files whose path contains TEXT */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import process from 'node:process'

interface Outcome {
  readonly title: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly output: string
}

/** One file may take this long; a hang is a failure. */
const fileTimeoutMs = 300_000

/** Files that own the machine's kernel state or measure it run alone. */
const exclusive = /^test\/(e2e|vm)\//

async function run(title: string, command: string, args: readonly string[]): Promise<Outcome> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const timer = setTimeout(() => {
    output += `\n${title}: no end after ${fileTimeoutMs} ms, killed\n`
    child.kill('SIGKILL')
  }, fileTimeoutMs)
  const { promise, resolve } = Promise.withResolvers<number>()
  child.on('error', (error) => {
    output += String(error)
    resolve(1)
  })
  child.on('close', (code) => resolve(code ?? 1))
  const code = await promise
  clearTimeout(timer)
  return count(title, code, output)
}

function count(title: string, code: number, output: string): Outcome {
  const figure = (name: string): number =>
    [...output.matchAll(new RegExp(`^\\s+${name}:\\s+(\\d+)`, 'gm'))].reduce(
      (sum, match) => sum + Number(match[1]),
      0,
    )
  const total = figure('Total')
  const passed = figure('Passed')
  // A check that is no uvu file counts as one test; a crash of a file as one failure.
  if (total === 0)
    return { title, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, output }
  const failed = total - passed
  return {
    title,
    passed,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: figure('Skipped'),
    output,
  }
}

function report(outcome: Outcome): void {
  const skips = outcome.output.match(/^# skipped: .*$/gm) ?? []
  const mark = outcome.failed === 0 ? 'ok  ' : 'FAIL'
  process.stdout.write(`${mark} ${outcome.title}  ${outcome.passed} passed\n`)
  for (const line of skips) process.stdout.write(`     ${line}\n`)
  if (outcome.failed > 0) process.stdout.write(`${outcome.output}\n`)
}

async function runAll(titles: readonly string[], width: number): Promise<Outcome[]> {
  const queue = [...titles]
  const outcomes: Outcome[] = []
  const worker = async (): Promise<void> => {
    for (let title = queue.shift(); title !== undefined; title = queue.shift()) {
      const outcome = await run(title, process.execPath, [title])
      report(outcome)
      outcomes.push(outcome)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return outcomes
}

const onlyAt = process.argv.indexOf('--only')
const only = onlyAt < 0 ? '' : (process.argv[onlyAt + 1] ?? '')
const files = globSync('test/**/*.test.ts')
  .sort()
  .filter((file) => file.includes(only))
const outcomes: Outcome[] = []
if (only === '') {
  for (const [title, args] of [
    ['lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '.']],
    ['types', ['node_modules/typescript/bin/tsc', '--noEmit']],
  ] as const) {
    const outcome = await run(title, process.execPath, args)
    report(outcome)
    outcomes.push(outcome)
  }
}
outcomes.push(
  ...(await runAll(
    files.filter((file) => !exclusive.test(file)),
    2,
  )),
)
outcomes.push(
  ...(await runAll(
    files.filter((file) => exclusive.test(file)),
    1,
  )),
)

const sum = (name: 'passed' | 'failed' | 'skipped'): number =>
  outcomes.reduce((total, outcome) => total + outcome[name], 0)
process.stdout.write(
  `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped\n`,
)
process.exitCode = sum('failed') > 0 || sum('passed') === 0 ? 1 : 0
