import { stringify } from 'yaml'
import { formatGoDuration } from '../../net/go-duration.ts'
import type { ProxyConfiguration } from './proxy-configuration.ts'

/** The names of fields that hold durations, at any depth. */
const durationFields = /(Period|Timeout|flushFrequency)$/

/** The configuration as a document of its own format: durations as Go prints them; for /configz. */
export function describeConfiguration(configuration: ProxyConfiguration): unknown {
  return describe(configuration, '')
}

/** The configuration as a YAML file that the daemon takes with --config. */
export function formatConfiguration(configuration: ProxyConfiguration): string {
  return stringify(describeConfiguration(configuration))
}

function describe(value: unknown, name: string): unknown {
  if (typeof value === 'number' && durationFields.test(name)) return formatGoDuration(value)
  if (Array.isArray(value)) return value.map((item) => describe(item, ''))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  return Object.fromEntries(entries.map(([key, entry]) => [key, describe(entry, key)]))
}
