import { type ByteString, fromByteString, toByteString } from '../../net/byte-string.ts'

/** One answer in the cache: its encoded message without OPT record, and what happened to it. */
export interface CacheEntry {
  /** Header, question and records: an array of bytes costs 300 more, outside of the heap too. Id and TTLs are
   *  filled in when it is used. */
  readonly text: ByteString
  /** Seconds that it was stored for. */
  readonly ttlSeconds: number
  /** Milliseconds since the epoch. */
  readonly storedMs: number
  /** Queries since the last long pause, for prefetch. */
  hitCount: number
  lastHitMs: number
  /** It was replaced or evicted: who still holds it must ask again. */
  isGone: boolean
}

/** A new entry. */
export function cacheEntry(bytes: Uint8Array, ttlSeconds: number, nowMs: number): CacheEntry {
  const text = toByteString(bytes)
  return { text, ttlSeconds, storedMs: nowMs, hitCount: 0, lastHitMs: 0, isGone: false }
}

/** The bytes of its message. */
export function messageBytes(entry: CacheEntry): Uint8Array {
  return fromByteString(entry.text)
}

/** Seconds that the entry has left; zero or negative: expired for so long. */
export function secondsLeft(entry: CacheEntry, nowMs: number): number {
  return entry.ttlSeconds - Math.floor((nowMs - entry.storedMs) / 1000)
}

/** Counts a query for the entry; one after a longer pause starts from 1. */
export function countHit(entry: CacheEntry, nowMs: number, pauseMs: number): void {
  entry.hitCount = nowMs - entry.lastHitMs > pauseMs ? 1 : entry.hitCount + 1
  entry.lastHitMs = nowMs
}
