import type { CachePart } from './cacheable.ts'

/** What happens in the cache, for metrics. */
export interface CacheObserver {
  hit(part: CachePart): void
  miss(): void
  evicted(part: CachePart, count: number): void
  prefetched(): void
  servedStale(): void
  /** An answer that does not belong to its question was not kept. */
  rejected(): void
  sized(part: CachePart, entryCount: number, byteCount: number): void
}

/** Nobody looks. */
export const silentCacheObserver: CacheObserver = {
  hit: () => undefined,
  miss: () => undefined,
  evicted: () => undefined,
  prefetched: () => undefined,
  servedStale: () => undefined,
  rejected: () => undefined,
  sized: () => undefined,
}
