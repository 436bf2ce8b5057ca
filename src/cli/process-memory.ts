import { PerformanceObserver } from 'node:perf_hooks'
import process from 'node:process'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openResidentMemory, type ResidentMemory } from '../libc/resident-memory.ts'
import { libc } from '../netlink/libc.ts'

/** Keeps the engine's young generation at its first size. It doubles up to 32 MB while a cluster is
 *  loaded and would stay there. Measured with 10,000 services: 47 MB less at the peak, for a tenth more of
 *  processor time until the first synchronisation; single changes take as long as before. This flag is read at
 *  each growth, so that it needs no place on the command line (`--max-semi-space-size` does, and not
 *  every `env` can put it there). */
export function boundMemory(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

/** Collects all garbage and gives the pages back to the system: blocks for about two milliseconds per
 *  MB of live objects. Worth it once, after lists have been decoded: left alone, the engine keeps what they
 *  needed (60 MB with 10,000 services) for as long as there is a steady trickle of changes. */
export function releaseMemory(): void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  // Only this kind of collection compacts the heap and empties the engine's pool of free pages.
  const kind = { type: 'major', execution: 'sync', flavor: 'last-resort' }
  if (typeof collect === 'function') collect(kind)
  // What the engine has freed, the C library still keeps (20 MB: pages of lists, the first transaction).
  if (process.platform === 'linux') trimLibraryHeap()
}

/** Bytes of the young generation that is enough, both of its halves. */
const youngBytes = 8 << 20

/** Lets the young generation grow from 1 to 4 MB when short-lived objects ask for it, once, and has it collected by
 *  one thread. For what makes objects for every request: in 1 MB those of requests under way are found alive,
 *  and moved to the old generation, four times as often; and other threads are waited for longer than they help
 *  where there are few processors. Measured on forwarded queries: a third less processor time and memory. */
export function tuneYoungGeneration(): void {
  setFlagsFromString('--no-parallel-scavenge')
  if (youngSize() >= youngBytes) return
  setFlagsFromString('--semi-space-growth-factor=4')
  const observer = new PerformanceObserver(() => {
    if (youngSize() <= youngBytes / 4) return
    setFlagsFromString('--semi-space-growth-factor=1')
    observer.disconnect()
  })
  observer.observe({ entryTypes: ['gc'] })
}

function youngSize(): number {
  return (
    getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0
  )
}

/** Seconds until pages are first given back, and the longest time between two times: it doubles. */
const firstRelease = 1
const longestPause = 64

/** Gives pages back that nothing needs any more, now and then until the signal is aborted, often in the beginning:
 *  code that is compiled under the first load leaves most of them. Measured on the name server under load with
 *  1,000 services: 112 MB become 69. */
export function keepMemorySmall(signal: AbortSignal): void {
  const resident = tryOpenResidentMemory()
  if (resident === undefined) return
  let seconds = firstRelease
  let timer: NodeJS.Timeout
  const wait = (): void => {
    if (signal.aborted) return
    timer = setTimeout(() => void resident.release().then(wait, wait), seconds * 1_000)
    timer.unref()
    seconds = Math.min(seconds * 2, longestPause)
  }
  wait()
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
}

function tryOpenResidentMemory(): ResidentMemory | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return openResidentMemory()
  } catch {
    // Memory is all that is lost.
    return undefined
  }
}

/** Memory is all that is lost where the C library cannot be called: portable mode runs without it. */
function trimLibraryHeap(): void {
  try {
    libc().trimHeap()
  } catch {
    // Said already, by whoever needs the library.
  }
}
