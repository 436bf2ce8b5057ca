import { readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import type { Clock } from '../kube/clock.ts'

/** A file is looked at this long after the last sign of a change: writers are seldom done at the first. */
const settleMs = 100

/** Calls back on SIGHUP and when the content of the file changes, until the signal is aborted. The folder
 *  is watched, not the file: editors replace files, and a mounted ConfigMap is a link to a folder that is
 *  replaced. Without a file only SIGHUP counts. */
export function followConfiguration(
  file: string | undefined,
  clock: Clock,
  changed: (why: 'SIGHUP' | 'file changed') => void,
  signal: AbortSignal,
): void {
  const hangUp = () => changed('SIGHUP')
  process.on('SIGHUP', hangUp)
  signal.addEventListener('abort', () => process.off('SIGHUP', hangUp), { once: true })
  if (file === undefined) return
  let content = readContent(file)
  let cancel = (): void => {}
  const look = (): void => {
    const now = readContent(file)
    if (now === content) return
    content = now
    changed('file changed')
  }
  const watcher = watch(dirname(file), { signal }, () => {
    cancel()
    cancel = clock.schedule(look, settleMs)
  })
  // The folder may go: SIGHUP is left.
  watcher.on('error', () => {})
  signal.addEventListener('abort', () => cancel(), { once: true })
}

/** Undefined: it cannot be read now. */
function readContent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
