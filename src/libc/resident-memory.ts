import { readFileSync, readlinkSync } from 'node:fs'
import { loadCLibrary } from './c-library.ts'

/** Pages of this process that are real without need, and the way to give them back. */
export interface ResidentMemory {
  /** Works on another thread: the C library walks all its free memory (60 ms were seen). Never rejects. */
  release(): Promise<void>
}

/** A part of the address space, in bytes. */
export interface Mapping {
  readonly address: number
  readonly byteCount: number
}

/** MADV_DONTNEED, asm-generic/mman-common.h */
const dontNeed = 4

/** Smaller mappings are not worth a call. */
const leastKilobytes = 1_024

/** Finds what can be given back: what was freed and the C library keeps (an optimising compiler leaves 16 MB in its
 *  arenas), and pages of the program itself that are as in the file and were needed at the start (40 MB of 55);
 *  those that are needed again come from the page cache. Throws where the C library cannot be called. */
export function openResidentMemory(): ResidentMemory {
  const { findAsync } = loadCLibrary('memory')
  const program = readlinkSync('/proc/self/exe')
  const mappings = cleanMappings(readFileSync('/proc/self/smaps', 'utf8'), program)
  const advise = findAsync('int madvise(uintptr_t, size_t, int)')
  const trim = optional(() => findAsync('int malloc_trim(size_t)'))
  return {
    async release() {
      await trim(0)
      for (const { address, byteCount } of mappings) await advise(address, byteCount, dontNeed)
    },
  }
}

/** Mappings of a file that cannot be written to and hold nothing but the file's bytes, by the text of
 *  /proc/PID/smaps. The file of a running program cannot change (ETXTBSY). */
export function cleanMappings(smaps: string, path: string): readonly Mapping[] {
  const found: Mapping[] = []
  let current: (Mapping & { readonly isFile: boolean }) | undefined
  let isLarge = false
  for (const line of smaps.split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)$/.exec(line)
    if (head !== null) {
      const [, start = '', end = '', rights = '', file = ''] = head
      const address = Number.parseInt(start, 16)
      const byteCount = Number.parseInt(end, 16) - address
      current = { address, byteCount, isFile: file === path && /^r-.p$/.test(rights) }
      continue
    }
    const [name, kilobytes] = line.split(/: +/)
    if (name === 'Rss') isLarge = Number.parseInt(kilobytes ?? '', 10) >= leastKilobytes
    if (name !== 'Anonymous' || current === undefined || !current.isFile || !isLarge) continue
    const { address, byteCount } = current
    if (kilobytes === '0 kB') found.push({ address, byteCount })
  }
  return found
}

/** musl has no such function and does it by itself. */
function optional(
  find: () => (argument: number) => Promise<number>,
): (argument: number) => Promise<number> {
  try {
    return find()
  } catch {
    return () => Promise.resolve(0)
  }
}
