import type { AnswerKind } from '../chain/classify.ts'
import type { CacheSettings } from '../corefile/decode-cache.ts'
import type { Message, ResourceRecord } from '../wire/message.ts'
import { sameName } from '../wire/name.ts'

/** What exists, and what does not. */
export type CachePart = 'success' | 'denial'

/** TTL, seconds, of answers that tell none: without records, or of a kind that is not for keeping. */
const shortTtlSeconds = 5

/** The largest TTL that counts, seconds. */
const longTtlSeconds = 3600

/** The part of the cache that keeps answers of this kind; undefined: they are not kept. */
export function cachePart(kind: AnswerKind): CachePart | undefined {
  switch (kind) {
    case 'success':
    case 'delegation':
      return 'success'
    case 'name-error':
    case 'no-data':
    case 'server-error':
      return 'denial'
    default:
      return undefined
  }
}

/** Seconds that an answer is kept: the smallest TTL of its records within the settings' bounds (RFC 2308
 *  section 5). Also the TTL that its records show from then on. */
export function cacheSeconds(message: Message, kind: AnswerKind, settings: CacheSettings): number {
  if (kind === 'server-error') return settings.servfailSeconds
  const isDenial = kind === 'name-error' || kind === 'no-data'
  const { minTtlSeconds, maxTtlSeconds } = isDenial ? settings.denial : settings.success
  const smallest = smallestTtl(message, kind)
  return Math.min(Math.max(smallest, minTtlSeconds), maxTtlSeconds)
}

/** The message with one TTL for all its records, and without OPT record: that is between two hops only. */
export function withTtl(message: Message, ttl: number): Message {
  return {
    ...message,
    answers: recordsWithTtl(message.answers, ttl),
    authority: recordsWithTtl(message.authority, ttl),
    additional: recordsWithTtl(message.additional, ttl),
    edns: undefined,
  }
}

function recordsWithTtl(
  records: readonly ResourceRecord[],
  ttl: number,
): readonly ResourceRecord[] {
  if (records.every((record) => record.ttl === ttl)) return records
  return records.map((record) => (record.ttl === ttl ? record : { ...record, ttl }))
}

/** Whether an answer belongs to the question: one question of the same name and type. */
export function isReplyTo(message: Message, query: Message): boolean {
  const [asked] = query.questions
  const [answered] = message.questions
  if (asked === undefined || answered === undefined) return false
  if (message.questions.length !== 1 || !message.flags.qr) return false
  return answered.type === asked.type && sameName(answered.name, asked.name)
}

function smallestTtl(message: Message, kind: AnswerKind): number {
  if (kind !== 'success' && kind !== 'name-error' && kind !== 'no-data') return shortTtlSeconds
  const { answers, authority, additional } = message
  if (answers.length + authority.length + additional.length === 0) return shortTtlSeconds
  let smallest = longTtlSeconds
  for (const records of [answers, authority, additional]) {
    for (const record of records) smallest = Math.min(smallest, record.ttl)
  }
  return smallest
}
