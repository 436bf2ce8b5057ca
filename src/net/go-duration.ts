/** Milliseconds of a duration in Go's syntax (`300ms`, `1h30m`, `-1.5s`, `0`); undefined when the text
 *  is no duration or does not fit into 64 bits of nanoseconds. time.ParseDuration is the reference. */
export function parseGoDuration(text: string): number | undefined {
  if (text.length > longestText) return undefined
  const match = /^([+-]?)(.*)$/s.exec(text)
  const sign = match?.[1] === '-' ? -1 : 1
  const body = match?.[2] ?? ''
  if (body === '0') return 0
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined
  let sumMs = 0
  for (const [, amount, unit] of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    sumMs += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN)
  }
  return sumMs > largestMs ? undefined : sign * sumMs || 0
}

/** The text that Go prints for a duration: `1h0m0s`, `30s`, `1.5s`, `250ms`, `0s`. */
export function formatGoDuration(durationMs: number): string {
  if (durationMs === 0) return '0s'
  const sign = durationMs < 0 ? '-' : ''
  const magnitude = Math.abs(durationMs)
  if (magnitude < 1_000) return `${sign}${formatBelowSecond(magnitude)}`
  const wholeSeconds = Math.floor(magnitude / 1_000)
  const hours = Math.floor(wholeSeconds / 3_600)
  const minutes = Math.floor((wholeSeconds % 3_600) / 60)
  const seconds = trimNumber((wholeSeconds % 60) + (magnitude % 1_000) / 1_000, 9)
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`
}

/** Longer texts are refused unread; the longest useful one names every unit once with all digits. */
const longestText = 200

/** 2^63 - 1 nanoseconds, the range of Go's time.Duration. */
const largestMs = 9_223_372_036_854.775

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

function formatBelowSecond(magnitudeMs: number): string {
  if (magnitudeMs >= 1) return `${trimNumber(magnitudeMs, 6)}ms`
  if (magnitudeMs >= 1e-3) return `${trimNumber(magnitudeMs * 1e3, 3)}µs`
  return `${Math.round(magnitudeMs * 1e6)}ns`
}

function trimNumber(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)))
}
