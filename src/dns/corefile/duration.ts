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

/** Milliseconds of a duration in Go's notation (`1h30m`, `500ms`, `1.5s`, `-2s`, `0`); undefined when it
 *  is none. A number without unit is none, except 0. */
export function parseDuration(text: string): number | undefined {
  const match = /^([+-]?)((?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text)
  if (match === null) return undefined
  let total = 0
  for (const part of (match[2] ?? '').matchAll(/([0-9.]+)([a-zµμ]+)/g)) {
    total += Number(part[1]) * (unitMs[part[2] ?? ''] ?? 0)
  }
  return match[1] === '-' ? -total : total
}
