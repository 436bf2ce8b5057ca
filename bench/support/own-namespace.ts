import { spawn } from 'node:child_process'
import process from 'node:process'

/** Runs a file of ours with Node in a new network namespace and gives the last line it prints, parsed
 *  as JSON. Without root it takes a user namespace as well. Rejects with what the child wrote to
 *  standard error when it fails; kills it when the signal is aborted. `print` gets what it writes there
 *  while it runs. */
export async function runInOwnNamespace(
  file: URL,
  args: readonly string[],
  signal: AbortSignal,
  print: (line: string) => void = () => {},
): Promise<unknown> {
  // In a process namespace of its own, what the child starts ends with it, however it ends.
  const unshare = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc']
  const user = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const child = spawn('unshare', [...unshare, ...user, process.execPath, file.pathname, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
    print(chunk.toString().trim())
  })
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  child.on('error', reject)
  child.on('close', (code) => resolve(code ?? 1))
  const code = await promise
  if (code !== 0) throw new Error(`${file.pathname} ended with code ${code}: ${errors.trim()}`)
  return JSON.parse(output.trim().split('\n').at(-1) ?? '')
}
