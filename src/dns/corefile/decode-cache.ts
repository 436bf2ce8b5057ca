import type { DnsName } from '../wire/name.ts'
import type { BlockContext } from './block-context.ts'
import { refuse } from './corefile-error.ts'
import {
  argumentOf,
  argumentsOf,
  decodeChoice,
  decodeDuration,
  decodeInteger,
  decodeOptions,
  isBare,
} from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import { decodeName, zonesOrDefault } from './server-key.ts'

/** The `cache` directive. */
export interface CacheSettings {
  readonly zones: readonly DnsName[]
  readonly success: CacheBounds
  readonly denial: CacheBounds
  /** Seconds that SERVFAIL and NOTIMP are kept. */
  readonly servfailSeconds: number
  /** Undefined: entries are not refreshed before they expire. */
  readonly prefetch: PrefetchSettings | undefined
  /** Undefined: expired entries are not used. */
  readonly serveStale: StaleSettings | undefined
  /** Answers always show the TTL that was stored. */
  readonly isTtlKept: boolean
}

/** Bounds of the positive or the negative part. */
export interface CacheBounds {
  readonly maxEntries: number
  readonly maxTtlSeconds: number
  readonly minTtlSeconds: number
  /** Names in these zones are not kept. */
  readonly except: readonly DnsName[]
}

/** Refresh of popular entries. */
export interface PrefetchSettings {
  /** Queries without a pause longer than `pauseMs`. */
  readonly amount: number
  readonly pauseMs: number
  /** An entry is refreshed when less than this share of its TTL is left. */
  readonly percentage: number
}

/** Use of expired entries. */
export interface StaleSettings {
  /** Seconds after their end. */
  readonly maxAgeSeconds: number
  /** Ask upstream first, and use the expired entry only when that fails. */
  readonly isVerified: boolean
}

/** CoreDNS' bounds: one hour for what exists, half of it for what does not, and never below 5 s. */
const defaults: Omit<CacheSettings, 'zones'> = {
  success: { maxEntries: 10_000, maxTtlSeconds: 3600, minTtlSeconds: 5, except: [] },
  denial: { maxEntries: 10_000, maxTtlSeconds: 1800, minTtlSeconds: 5, except: [] },
  servfailSeconds: 5,
  prefetch: undefined,
  serveStale: undefined,
  isTtlKept: false,
}

/** RFC 2308 section 7.1: no server failure is kept for longer than five minutes. */
const maxServfailMs = 300_000

const maxSeconds = 0x7fffffff

/** Decodes `cache [TTL] [ZONES...] { ... }`. */
export function decodeCache(entry: Entry, context: BlockContext): CacheSettings {
  const words = argumentsOf(entry, { min: 0 })
  const [first] = words
  const hasTtl = first !== undefined && /^[+-]?[0-9]+$/.test(first.text)
  const zones = zonesOrDefault(hasTtl ? words.slice(1) : words, context.zones)
  let settings: CacheSettings = { ...defaults, zones }
  const set = (part: Partial<CacheSettings>): void => {
    settings = { ...settings, ...part }
  }
  if (hasTtl) {
    const maxTtlSeconds = decodeInteger(first, 1, maxSeconds)
    set({ success: { ...defaults.success, maxTtlSeconds } })
    set({ denial: { ...defaults.denial, maxTtlSeconds } })
  }
  decodeOptions(entry, {
    success: (option) => set({ success: decodeBounds(option, settings.success) }),
    denial: (option) => set({ denial: decodeBounds(option, settings.denial) }),
    prefetch: (option) => set({ prefetch: decodePrefetch(option) }),
    serve_stale: (option) => set({ serveStale: decodeStale(option) }),
    servfail: (option) => set({ servfailSeconds: decodeServfail(option) }),
    keepttl: (option) => set({ isTtlKept: isBare(option) }),
    disable: (option) => {
      const [part, ...zoneWords] = argumentsOf(option, { min: 1 })
      const name = decodeChoice(part ?? option.words[0], ['success', 'denial'])
      const except = zoneWords.length === 0 ? ['.'] : zoneWords.map(decodeName)
      set({ [name]: { ...settings[name], except } })
    },
  })
  return settings
}

function decodeBounds(option: Entry, before: CacheBounds): CacheBounds {
  const [entries, maxTtl, minTtl] = argumentsOf(option, { min: 1, max: 3 })
  const bounds = {
    ...before,
    maxEntries: entries === undefined ? 0 : decodeInteger(entries, 0, 100_000_000),
    ...(maxTtl === undefined ? {} : { maxTtlSeconds: decodeInteger(maxTtl, 1, maxSeconds) }),
    ...(minTtl === undefined ? {} : { minTtlSeconds: decodeInteger(minTtl, 0, maxSeconds) }),
  }
  return bounds
}

function decodePrefetch(option: Entry): PrefetchSettings | undefined {
  const [amountWord, pause, share] = argumentsOf(option, { min: 1, max: 3 })
  const amount = amountWord === undefined ? 0 : decodeInteger(amountWord, 0, maxSeconds)
  const percentage = /^([0-9]+)%$/.exec(share?.text ?? '10%')?.[1]
  if (share !== undefined && !(Number(percentage) >= 10 && Number(percentage) <= 90)) {
    refuse(share, `got ${JSON.stringify(share.text)}, expected a share 10%..90%`)
  }
  const pauseMs = pause === undefined ? 60_000 : decodeDuration(pause)
  return amount === 0 ? undefined : { amount, pauseMs, percentage: Number(percentage) }
}

function decodeStale(option: Entry): StaleSettings | undefined {
  const [age, mode] = argumentsOf(option, { min: 0, max: 2 })
  const maxAgeMs = age === undefined ? 3_600_000 : decodeDuration(age)
  const lowered = mode === undefined ? undefined : { ...mode, text: mode.text.toLowerCase() }
  const isVerified =
    lowered !== undefined && decodeChoice(lowered, ['immediate', 'verify']) === 'verify'
  return maxAgeMs === 0 ? undefined : { maxAgeSeconds: Math.floor(maxAgeMs / 1000), isVerified }
}

function decodeServfail(option: Entry): number {
  const token = argumentOf(option)
  const milliseconds = decodeDuration(token)
  if (milliseconds > maxServfailMs) refuse(token, 'SERVFAIL may be kept for 5m at most (RFC 2308)')
  return Math.floor(milliseconds / 1000)
}
