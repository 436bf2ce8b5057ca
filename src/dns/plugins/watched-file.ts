import { readFileSync, statSync } from 'node:fs'
import { type Clock, delay } from '../../kube/clock.ts'

/** A text file that is looked at again and again. */
export interface WatchedFile {
  readonly path: string
  /** 0: it is read once. */
  readonly intervalMs: number
}

/** Text and identity of one state of a file. */
interface Version {
  readonly text: string
  readonly stamp: string
}

/** Reads a file now and gives its text; undefined when it cannot be read. */
export function readTextFile(path: string): string | undefined {
  return readVersion(path)?.text
}

/** Calls `onChange` with the text whenever the file has another time or size than before, until the signal
 *  is aborted. A file that is gone counts as unchanged, as in CoreDNS. */
export async function watchFile(
  file: WatchedFile,
  clock: Clock,
  signal: AbortSignal,
  onChange: (text: string) => void,
): Promise<void> {
  let stamp = readVersion(file.path)?.stamp
  while (file.intervalMs > 0 && !signal.aborted) {
    await delay(clock, file.intervalMs, signal)
    if (signal.aborted) return
    const version = readVersion(file.path)
    if (version === undefined || version.stamp === stamp) continue
    stamp = version.stamp
    onChange(version.text)
  }
}

function readVersion(path: string): Version | undefined {
  try {
    const { mtimeMs, size, ino } = statSync(path)
    return { text: readFileSync(path, 'utf8'), stamp: `${mtimeMs} ${size} ${ino}` }
  } catch {
    return undefined
  }
}
