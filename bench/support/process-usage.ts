import { readdirSync, readFileSync } from 'node:fs'

/** What a process has used and holds. */
export interface ProcessUsage {
  /** Of all its threads, user and system. */
  readonly cpuSeconds: number
  readonly residentMiB: number
  /** All its threads together were ready to run and had no processor: what the machine adds to latencies. 0 where
   *  the kernel does not count it. */
  readonly waitedSeconds: number
}

/** Clock ticks a second in /proc (USER_HZ), the same on every Linux. */
const ticksPerSecond = 100

/** Reads /proc of a process. Throws when it has ended. */
export function readUsage(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // Behind the name in parentheses, which may have spaces: fields 3 and up.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return {
    cpuSeconds: ticks / ticksPerSecond,
    residentMiB: Number(resident ?? 0) / 1_024,
    waitedSeconds: readWaited(pid),
  }
}

/** The second number of schedstat, nanoseconds; Documentation/scheduler/sched-stats.rst */
function readWaited(pid: number): number {
  let waited = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
      waited += Number(text.split(' ')[1])
    } catch {
      // A thread that has just ended, or a kernel without these numbers.
    }
  }
  return waited / 1e9
}
