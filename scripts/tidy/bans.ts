import type { SourceFile, Violation } from './source-tree.ts'

/** A pattern that must not occur, and the reason. */
interface Ban {
  readonly pattern: RegExp
  readonly why: string
}

/** Rooms whose results depend on their arguments alone. */
const pureRooms = [
  /^src\/net\//,
  /^src\/proxy\/plan\//,
  /^src\/proxy\/simulate\//,
  /^src\/proxy\/port\//,
  /^src\/netlink\/nftables\//,
  /^src\/dns\/(?:wire|zone)\//,
]

const pureBans: readonly Ban[] = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\)/,
    why: 'a pure room has no clock: take the time as input',
  },
  { pattern: /\bperformance\.now\b/, why: 'a pure room has no clock: take the time as input' },
  {
    pattern: /\bMath\.random\b/,
    why: 'a pure room repeats itself: take the random source as input',
  },
  { pattern: /\bset(?:Timeout|Interval|Immediate)\b/, why: 'a pure room never waits' },
  { pattern: /\bprocess\./, why: 'a pure room does not see the process' },
  { pattern: /\bconsole\./, why: 'a pure room does not print' },
  {
    pattern: /from 'node:(?!buffer'|assert|util')/,
    why: 'a pure room does no input or output',
  },
  {
    pattern: /from '(?:koffi|undici|pino|prom-client)'/,
    why: 'a pure room does no input or output',
  },
]

const everywhereBans: readonly Ban[] = [
  { pattern: /\bTODO\b|\bFIXME\b/, why: 'finish it, or write it down in docs/roadmap.md' },
  { pattern: /@ts-(?:ignore|nocheck)/, why: 'the compiler is right, or the type is wrong' },
]

/** What no file that people read may hold, documents and settings included. */
const publicBans: readonly Ban[] = [
  {
    pattern: /registry[.]npm|npm[m]irror|npm[.]pkg[.]/,
    why: 'names the host of a package registry',
  },
  {
    pattern: /"resolve[d]":/,
    why: 'ties the lock file to one registry: omit-lockfile-registry-resolved',
  },
  {
    pattern: /(?<![\w.-])\/(?:work|root|Users|home\/\w+)\/[\w.]/,
    why: 'is a path of one machine',
  },
]

/** Clocks, chance, timers, environment and output in the rooms that must be pure. */
export function checkPurity(files: readonly SourceFile[]): Violation[] {
  const pure = files.filter((file) => pureRooms.some((room) => room.test(file.path)))
  return pure.flatMap((file) => checkLines(file.path, file.lines, pureBans))
}

/** What no source file may hold. */
export function checkSourceBans(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) =>
    file.path === 'scripts/tidy/bans.ts' ? [] : checkLines(file.path, file.lines, everywhereBans),
  )
}

/** What no committed text may hold. */
export function checkPublicText(path: string, text: string): Violation[] {
  return checkLines(path, text.split('\n'), publicBans)
}

/** Names of metrics against the rules of Prometheus. Names that the original has are the original's. */
export function checkMetricNames(files: readonly SourceFile[]): Violation[] {
  const metrics = files.filter(
    (file) => file.path.startsWith('src/') && file.text.includes("from 'prom-client'"),
  )
  return metrics.flatMap((file) =>
    file.lines.flatMap((line, index) => {
      const name = line.match(/\bname: '([^']*)'/)?.[1]
      const fault = name === undefined ? undefined : metricFault(name)
      if (fault === undefined) return []
      return [{ path: file.path, line: index + 1, what: `metric ${name}: ${fault}` }]
    }),
  )
}

function metricFault(name: string): string | undefined {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) return 'expected lower case letters, digits and _'
  if (/_(?:ms|milliseconds|minutes|kilobytes|kb|mb)(?:_|$)/.test(name)) {
    return 'expected base units: seconds, bytes'
  }
  if (/_(?:count|sum|bucket)$/.test(name)) return 'ends with a suffix that histograms add'
  return undefined
}

function checkLines(path: string, lines: readonly string[], bans: readonly Ban[]): Violation[] {
  return lines.flatMap((line, index) =>
    bans
      .filter((ban) => ban.pattern.test(line))
      .map((ban) => ({ path, line: index + 1, what: `${line.trim().slice(0, 60)}: ${ban.why}` })),
  )
}
