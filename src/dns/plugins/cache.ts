import type { Clock } from '../../kube/clock.ts'
import { AnswerStore } from '../cache/answer-store.ts'
import {
  type CacheEntry,
  cacheEntry,
  countHit,
  messageBytes,
  secondsLeft,
} from '../cache/cache-entry.ts'
import { classify } from '../chain/classify.ts'
import { type Next, type Outcome, type Plugin, whenReplied } from '../chain/plugin.ts'
import { type Answer, answerOfUpstream, type Lease, type Reply } from '../chain/reply.ts'
import { detached, isDnssecOk, type Request } from '../chain/request.ts'
import { isInZones, longestZone } from '../chain/zones.ts'
import type { CacheBounds, CacheSettings } from '../corefile/decode-cache.ts'
import { decodeMessage } from '../wire/decode-message.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import { type Message, maxMessageBytes } from '../wire/message.ts'
import { rcodes, recordClasses } from '../wire/numbers.ts'
import type { CacheObserver } from './cache-observer.ts'
import { type CachePart, cachePart, cacheSeconds, isReplyTo, withTtl } from './cacheable.ts'

/** What `cache` works with. */
export interface CacheInputs {
  readonly clock: Clock
  readonly observer: CacheObserver
}

/** `cache`: keeps answers of other servers. What this one knows itself passes: it is at hand, and changes
 *  when the cluster or a file does. */
export function cachePlugin(settings: CacheSettings, inputs: CacheInputs): Plugin {
  const cache = new Cache(settings, inputs)
  return {
    name: 'cache',
    serve: (request, next) =>
      longestZone(settings.zones, request.name) === undefined
        ? next(request)
        : cache.serve(detached(request), next),
  }
}

/** Bytes that an entry may have on average, so that the number of entries bounds the memory. */
const averageEntryBytes = 1024

/** An entry and where it was found. */
interface Found {
  readonly part: CachePart
  readonly entry: CacheEntry
}

class Cache {
  readonly #settings: CacheSettings
  readonly #clock: Clock
  readonly #observer: CacheObserver
  readonly #parts: Readonly<Record<CachePart, AnswerStore>>
  /** Keys of entries that are being refreshed. */
  readonly #refreshing = new Set<string>()

  constructor(settings: CacheSettings, { clock, observer }: CacheInputs) {
    this.#settings = settings
    this.#clock = clock
    this.#observer = observer
    this.#parts = { success: openStore(settings.success), denial: openStore(settings.denial) }
  }

  serve(request: Request, next: Next): Outcome {
    const nowMs = this.#clock.now()
    const key = keyOf(request)
    const found = this.#find(key, nowMs)
    if (found === undefined) {
      this.#observer.miss()
      request.trace?.note('cache', 'no entry')
      return whenReplied(next(request), (reply) => this.#keep(key, request, reply))
    }
    this.#observer.hit(found.part)
    const left = secondsLeft(found.entry, nowMs)
    const time = `${left} of ${found.entry.ttlSeconds} s left`
    request.trace?.note('cache', `an entry of ${found.part}, ${time}`)
    if (left > 0) return this.#fresh(key, found, request, next, left)
    return this.#stale(key, found, request, next)
  }

  #fresh(key: string, found: Found, request: Request, next: Next, left: number): Answer {
    const { entry, part } = found
    const nowMs = this.#clock.now()
    if (this.#isDue(entry, nowMs)) this.#refresh(key, entry, request, next)
    const shown = this.#settings.isTtlKept ? entry.ttlSeconds : left
    return { ...answerFrom(entry, request, shown), memo: this.#lease(entry, part) }
  }

  /** An expired entry, with a TTL of zero: at once, or when upstream had nothing better. */
  #stale(key: string, { entry }: Found, request: Request, next: Next): Outcome {
    const old = (): Answer => {
      this.#observer.servedStale()
      return answerFrom(entry, request, this.#settings.isTtlKept ? entry.ttlSeconds : 0)
    }
    if (this.#settings.serveStale?.isVerified !== true) {
      this.#refresh(key, entry, request, next)
      return old()
    }
    return whenReplied(next(request), (reply) => {
      const isUseful =
        reply.kind === 'answer' &&
        (reply.message.rcode === rcodes.NOERROR || reply.message.rcode === rcodes.NXDOMAIN)
      return isUseful ? this.#keep(key, request, reply) : old()
    })
  }

  /** Denials first, as in CoreDNS; expired entries only as long as they may be served. */
  #find(key: string, nowMs: number): Found | undefined {
    const maxAge = this.#settings.serveStale?.maxAgeSeconds ?? 0
    for (const part of ['denial', 'success'] as const) {
      const entry = this.#parts[part].get(key)
      if (entry === undefined) continue
      const left = secondsLeft(entry, nowMs)
      if (left > 0 || (maxAge > 0 && -left < maxAge)) return { part, entry }
    }
    return undefined
  }

  /** What the client gets of a new answer, which is stored if it may be. */
  #keep(key: string, request: Request, reply: Reply): Reply {
    if (reply.kind !== 'answer') return reply
    const kind = classify(reply.message)
    const seconds = cacheSeconds(reply.message, kind, this.#settings)
    const lasting = withTtl(reply.message, seconds)
    const message = withoutForeignAd(lasting, request)
    const shown = { ...reply, message }
    const part = cachePart(kind)
    if (part === undefined || seconds <= 0 || message.flags.tc) return shown
    // What is known here is said with authority, but for delegations and failures.
    const isAtHand = reply.origin === 'local' && reply.message.flags.aa
    if (isAtHand || request.question.class !== recordClasses.IN) return shown
    if (!isReplyTo(message, request.message)) {
      this.#observer.rejected()
      return shown
    }
    if (isInZones(this.#settings[part].except, request.name)) return shown
    const entry = this.#store(key, part, lasting, seconds)
    return { ...shown, memo: this.#lease(entry, part) }
  }

  /** The message has that TTL already. */
  #store(key: string, part: CachePart, message: Message, seconds: number): CacheEntry {
    const bytes = encodeMessage(message, maxMessageBytes)
    const entry = cacheEntry(bytes, seconds, this.#clock.now())
    const evictedCount = this.#parts[part].set(key, entry)
    if (evictedCount > 0) this.#observer.evicted(part, evictedCount)
    for (const name of ['success', 'denial'] as const) {
      this.#observer.sized(name, this.#parts[name].entryCount, this.#parts[name].byteCount)
    }
    return entry
  }

  #lease(entry: CacheEntry, part: CachePart): Lease {
    return new EntryLease(entry, part, this.#renew)
  }

  readonly #renew = (entry: CacheEntry, part: CachePart, nowMs: number): number | undefined => {
    const left = secondsLeft(entry, nowMs)
    if (entry.isGone || left <= 0 || this.#isDue(entry, nowMs)) return undefined
    this.#observer.hit(part)
    return this.#settings.isTtlKept ? entry.ttlSeconds : left
  }

  /** Counts the query, and tells whether the entry is popular and near its end. */
  #isDue(entry: CacheEntry, nowMs: number): boolean {
    const { prefetch } = this.#settings
    if (prefetch === undefined) return false
    countHit(entry, nowMs, prefetch.pauseMs)
    const threshold = Math.ceil((prefetch.percentage / 100) * entry.ttlSeconds)
    return entry.hitCount >= prefetch.amount && secondsLeft(entry, nowMs) <= threshold
  }

  /** Asks for the entry again, once at a time; the client does not wait for it. */
  #refresh(key: string, entry: CacheEntry, request: Request, next: Next): void {
    if (this.#refreshing.has(key)) return
    this.#refreshing.add(key)
    this.#observer.prefetched()
    const outcome = whenReplied(next(request), (reply) => {
      this.#refreshing.delete(key)
      if (reply.kind !== 'answer') return reply
      const kept = this.#keep(key, request, reply)
      const part = cachePart(classify(reply.message))
      if (part === 'success') this.#parts.denial.delete(key)
      const renewed = part === undefined ? undefined : this.#parts[part].get(key)
      if (renewed !== undefined) {
        renewed.hitCount = entry.hitCount
        renewed.lastHitMs = entry.lastHitMs
      }
      return kept
    })
    if (outcome instanceof Promise) outcome.catch(() => this.#refreshing.delete(key))
  }
}

type Renew = (entry: CacheEntry, part: CachePart, nowMs: number) => number | undefined

/** Repeats an entry without the chain until it expires, is replaced, or is due for a refresh. There is one for
 *  every entry. */
class EntryLease implements Lease {
  readonly #entry: CacheEntry
  readonly #part: CachePart
  readonly #renew: Renew

  constructor(entry: CacheEntry, part: CachePart, renew: Renew) {
    this.#entry = entry
    this.#part = part
    this.#renew = renew
  }

  renew(nowMs: number): number | undefined {
    return this.#renew(this.#entry, this.#part, nowMs)
  }
}

function openStore({ maxEntries }: CacheBounds): AnswerStore {
  return new AnswerStore({ maxEntries, maxBytes: maxEntries * averageEntryBytes })
}

/** DNSSEC records are asked for by DO, and unchecked ones by CD: such answers differ. Without class, as in
 *  CoreDNS: questions of other classes get what is kept for IN, but nothing of theirs is kept. */
function keyOf(request: Request): string {
  const bits = (isDnssecOk(request) ? 2 : 0) + (request.message.flags.cd ? 1 : 0)
  return `${bits} ${request.question.type} ${request.name}`
}

/** The entry as an answer to this query. It says that it is authoritative: some resolvers drop others,
 *  CoreDNS found. */
function answerFrom(entry: CacheEntry, request: Request, ttlSeconds: number): Answer {
  const stored = decodeMessage(messageBytes(entry))
  const { id, flags, opcode, questions } = request.message
  const message: Message = {
    ...withTtl(stored, ttlSeconds),
    id,
    opcode,
    questions: questions.slice(0, 1),
    flags: { ...stored.flags, aa: true, tc: false, z: false, rd: flags.rd, cd: flags.cd },
  }
  return answerOfUpstream(withoutForeignAd(message, request))
}

/** RFC 6840 section 5.7: AD is for those who asked for it, by AD or DO. */
function withoutForeignAd(message: Message, request: Request): Message {
  if (!message.flags.ad || isDnssecOk(request) || request.message.flags.ad) return message
  return { ...message, flags: { ...message.flags, ad: false } }
}
