/** Runs everything that must hold: lint and format, types, and every test file in a process of its
 *  own. The last line is `N passed, N failed`; before it `N skipped` when tests could not run, each
 *  with its reason above. Exits 1 when something failed.
 *
 *      node scripts/test.ts [--only TEXT]     only test files whose path contains TEXT */
import { globSync } from 'node:fs'
import process from 'node:process'
import { ChildGroup } from './support/child-group.ts'
import { countOutcome, type Outcome } from './support/test-outcome.ts'
import { installTestPackages } from './support/test-packages.ts'

/** One file may take this long; a hang is a failure. */
const fileTimeoutMs = 300_000

/** Files that own the machine's kernel state or measure it run alone. */
const exclusive = /^test\/(e2e|vm)\//

/** Checks that are no test files: one command, passed or failed as a whole. */
const checks = [
  ['lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--max-diagnostics=none', '.']],
  ['types', ['node_modules/typescript/bin/tsc', '--noEmit']],
] as const

const children = new ChildGroup()

async function run(title: string, args: readonly string[], isCheck: boolean): Promise<Outcome> {
  const { code, output } = await children.run(process.execPath, args, { timeoutMs: fileTimeoutMs })
  const outcome = countOutcome(title, code, output, isCheck)
  report(outcome)
  return outcome
}

function report(outcome: Outcome): void {
  const mark = outcome.failed === 0 ? 'ok  ' : 'FAIL'
  const skipped = outcome.skipped === 0 ? '' : `, ${outcome.skipped} skipped`
  print(`${mark} ${outcome.title}  ${outcome.passed} passed${skipped}`)
  for (const line of outcome.output.match(/^# skipped: .*$/gm) ?? []) print(`     ${line}`)
  if (outcome.failed > 0) print(outcome.output)
}

async function runFiles(titles: readonly string[], width: number): Promise<Outcome[]> {
  const queue = [...titles]
  const outcomes: Outcome[] = []
  const worker = async (): Promise<void> => {
    for (let title = queue.shift(); title !== undefined; title = queue.shift()) {
      outcomes.push(await run(title, [title], false))
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return outcomes
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    children.kill()
    process.exit(code)
  })
}

const onlyAt = process.argv.indexOf('--only')
const only = onlyAt < 0 ? '' : (process.argv[onlyAt + 1] ?? '')
const files = globSync('test/**/*.test.ts')
  .sort()
  .filter((file) => file.includes(only))
await installTestPackages(children, print)
const outcomes: Outcome[] = []
if (only === '') for (const [title, args] of checks) outcomes.push(await run(title, args, true))
const shared = files.filter((file) => !exclusive.test(file))
const alone = files.filter((file) => exclusive.test(file))
outcomes.push(...(await runFiles(shared, 2)), ...(await runFiles(alone, 1)))

const sum = (name: 'passed' | 'failed' | 'skipped'): number =>
  outcomes.reduce((total, outcome) => total + outcome[name], 0)
if (sum('skipped') > 0) print(`${sum('skipped')} skipped`)
print(`${sum('passed')} passed, ${sum('failed')} failed`)
process.exitCode = sum('failed') > 0 || sum('passed') === 0 ? 1 : 0
