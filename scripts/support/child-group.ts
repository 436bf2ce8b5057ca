import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'

/** What a finished command left. */
export interface CommandResult {
  /** Exit code; 1 when it could not be started or died by a signal. */
  readonly code: number
  /** Standard output and standard error in the order of their arrival. */
  readonly output: string
}

/** How a command runs. */
export interface CommandOptions {
  /** After this many milliseconds the command and all its descendants are killed. */
  readonly timeoutMs: number
  readonly env?: NodeJS.ProcessEnv
}

/** Children that lead process groups of their own, so that nothing they start can outlive us. */
export class ChildGroup {
  readonly #children = new Set<ChildProcess>()

  /** Runs a command to its end. Never rejects: a command that cannot start ends with code 1. */
  async run(
    command: string,
    args: readonly string[],
    options: CommandOptions,
  ): Promise<CommandResult> {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: options.env ?? process.env,
    })
    this.#children.add(child)
    let output = ''
    const collect = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const timer = setTimeout(() => {
      output += `\n${command} ${args.join(' ')}: no end after ${options.timeoutMs} ms, killed\n`
      killGroup(child)
    }, options.timeoutMs)
    const { promise, resolve } = Promise.withResolvers<number>()
    child.on('error', (error) => {
      output += `${error}\n`
      resolve(1)
    })
    // Leftovers may hold the pipes open after the command itself has ended; `close` waits for them.
    child.on('exit', () => killGroup(child))
    child.on('close', (code) => resolve(code ?? 1))
    const code = await promise
    clearTimeout(timer)
    this.#children.delete(child)
    return { code, output }
  }

  /** Kills every command that still runs, with its descendants. */
  kill(): void {
    for (const child of this.#children) killGroup(child)
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // ESRCH: the whole group has already ended.
  }
}
