import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import process from 'node:process'
import { CliError, failure } from './cli-error.ts'
import { parseCommandLine } from './command-line.ts'
import { diff } from './diff.ts'
import { dns } from './dns.ts'
import { proxy } from './proxy.ts'
import { status } from './status.ts'
import type { CliIo, ExitCode, Subcommand } from './subcommand.ts'
import { trace } from './trace.ts'

/** What `portolan` can do. */
const commands: readonly Subcommand[] = [proxy, dns, status, trace, diff]

const io: CliIo = {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
  environment: process.env,
  hostname: hostname(),
}

const words = process.argv.slice(2)

process.exitCode = await main(words).catch((error: unknown) => printError(error, words))

async function main(typed: readonly string[]): Promise<ExitCode> {
  const parsed = parseCommandLine(commands, readVersion(), typed)
  if (parsed.kind === 'print') {
    io.out(parsed.text)
    return 0
  }
  return parsed.command.run(parsed.input, io, abortOnSignal())
}

/** The first SIGINT or SIGTERM asks every part to end; a second one ends the process at once. */
function abortOnSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => controller.abort(failure('interrupted')))
  }
  return controller.signal
}

/** package.json lies two folders above both src/cli and dist/cli. */
function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function printError(error: unknown, typed: readonly string[]): ExitCode {
  const isUsage = error instanceof CliError && error.isUsage
  const message = error instanceof Error ? error.message : String(error)
  const hint = isUsage ? ' (see portolan --help)' : ''
  io.error(`portolan: ${message.replaceAll(/\s*\n\s*/g, ' ')}${hint}\n`)
  if (typed.includes('--debug') && error instanceof Error) io.error(`${error.stack}\n`)
  return isUsage ? 2 : 1
}
