import { refuse } from './corefile-error.ts'
import { argumentsOf, decodeDuration, refuseBody } from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'

/** The `reload` directive: how often the Corefile is looked at. */
export interface ReloadSettings {
  readonly intervalMs: number
  /** Width of the random shift of the interval. */
  readonly jitterMs: number
}

/** Decodes `reload [INTERVAL] [JITTER]`. */
export function decodeReload(entry: Entry): ReloadSettings {
  refuseBody(entry)
  const [interval, jitter] = argumentsOf(entry, { min: 0, max: 2 })
  const intervalMs = interval === undefined ? 30_000 : decodeDuration(interval)
  if (interval !== undefined && intervalMs < 2_000) refuse(interval, 'expected at least 2s')
  const jitterMs = jitter === undefined ? 15_000 : decodeDuration(jitter)
  if (jitter !== undefined && jitterMs < 1_000) refuse(jitter, 'expected at least 1s')
  return { intervalMs, jitterMs: Math.min(jitterMs, intervalMs / 2) }
}
