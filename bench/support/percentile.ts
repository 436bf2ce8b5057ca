/** The smallest value that at least `percent` of all values do not exceed (nearest rank). `values`
 *  are sorted in place. Throws when there are none. */
export function percentile(values: number[], percent: number): number {
  values.sort((a, b) => a - b)
  const rank = Math.max(1, Math.ceil((percent / 100) * values.length))
  const value = values[rank - 1]
  if (value === undefined) throw new Error('percentile: no values')
  return value
}

/** p50 and p99 of the values, rounded to four significant digits. */
export function distribution(values: readonly number[]): { p50: number; p99: number } {
  const sorted = [...values]
  return { p50: significant(percentile(sorted, 50)), p99: significant(percentile(sorted, 99)) }
}

/** Rounds to four significant digits: more would be noise. */
export function significant(value: number): number {
  return Number(value.toPrecision(4))
}
