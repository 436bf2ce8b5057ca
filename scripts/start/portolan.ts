import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname

/** Starts the command `portolan` from the sources; what it prints goes where ours goes. It gets a
 *  process group of its own, so that Ctrl-C reaches it through us and in our order. */
export function startPortolan(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  })
}

/** Runs `portolan` to its end and gives its exit code and what it printed. */
export async function runPortolan(
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  return { code: await ended(child), output }
}

/** Resolves with the exit code when the process has ended; 1 when a signal ended it. */
export async function ended(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return child.exitCode
  const { promise, resolve } = Promise.withResolvers<number>()
  child.once('error', () => resolve(1))
  child.once('close', (code) => resolve(code ?? 1))
  return promise
}
