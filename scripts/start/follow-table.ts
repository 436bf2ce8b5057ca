import { watch } from 'node:fs'
import { runPortolan } from './portolan.ts'

/** Takes lines for the user. */
export type Print = (line: string) => void

/** An editor writes a file in several steps; the table is printed when it has been quiet so long. */
const quietMs = 300

/** Prints the table of frontends of a folder, then `first`, then the table after every change of the folder,
 *  until the signal is aborted. `more`: further options of `portolan status`. */
export async function followTable(
  folder: string,
  more: readonly string[],
  print: Print,
  first: () => void,
  signal: AbortSignal,
): Promise<void> {
  let shown = ''
  const show = async (): Promise<void> => {
    const { output } = await runPortolan(['status', '--manifests', folder, ...more])
    if (output !== shown && !signal.aborted) print(`\n${output.trimEnd()}`)
    shown = output
  }
  await show()
  first()
  let timer: NodeJS.Timeout | undefined
  const watcher = watch(folder, () => {
    clearTimeout(timer)
    timer = setTimeout(() => void show(), quietMs)
  })
  if (!signal.aborted) await once(signal)
  watcher.close()
  clearTimeout(timer)
}

/** Resolves when the signal is aborted. */
export async function once(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
}

/** Resolves after a time, or with the signal. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const timer = new AbortController()
  const timeout = setTimeout(() => timer.abort(), milliseconds)
  await once(AbortSignal.any([signal, timer.signal]))
  clearTimeout(timeout)
}
