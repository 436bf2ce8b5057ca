import { fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChildOrder } from './child-order.ts'
import type { Finding } from './fuzz-target.ts'

/** An input that runs for this long hangs, milliseconds. */
const hangMs = 3000

/** Runs inputs of one target in a child process; gives the first finding, if there is one. A hang is a
 *  finding. Ends early, without one, when the signal is aborted. Rejects when the child dies. */
export async function runTarget(
  order: Omit<ChildOrder, 'progressFile'>,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-fuzz-'))
  const progressFile = join(folder, 'progress')
  writeFileSync(progressFile, new Uint8Array(4))
  const argument = JSON.stringify({ ...order, progressFile } satisfies ChildOrder)
  const child = fork(new URL('./fuzz-child.ts', import.meta.url), [argument])
  const { promise, resolve, reject } = Promise.withResolvers<Finding | undefined>()
  child.once('message', (message: Finding | 'clean') => {
    resolve(message === 'clean' ? undefined : message)
  })
  child.once('error', reject)
  child.once('exit', (code) => reject(new Error(`${order.target}: the child ended with ${code}`)))
  const stop = (): void => resolve(undefined)
  signal.addEventListener('abort', stop)
  let before = -1
  const watch = setInterval(() => {
    const index = readFileSync(progressFile).readUInt32LE(0)
    const { target, seed } = order
    if (index === before) {
      resolve({ target, seed, index, input: '', error: `no end after ${hangMs} ms` })
    }
    before = index
  }, hangMs)
  try {
    return await promise
  } finally {
    clearInterval(watch)
    signal.removeEventListener('abort', stop)
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}
