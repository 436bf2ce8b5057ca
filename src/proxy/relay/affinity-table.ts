/** Clients that one pool remembers at most; as many as its table of the nftables mode has for all. */
const clientLimit = 1 << 17

interface Entry {
  /** `address:port` of the endpoint. */
  readonly endpoint: string
  readonly usedMs: number
}

/** Which client of a pool with ClientIP affinity has which endpoint. */
export class AffinityTable {
  /** Entries by pool and client; in each pool the one used longest ago stands first. */
  readonly #pools = new Map<string, Map<string, Entry>>()
  readonly #clientLimit: number

  constructor(limit = clientLimit) {
    this.#clientLimit = limit
  }

  /** The endpoint that a client has had within the timeout; undefined: none. */
  recall(pool: string, client: string, nowMs: number, timeoutMs: number): string | undefined {
    const entry = this.#pools.get(pool)?.get(client)
    return entry !== undefined && nowMs - entry.usedMs < timeoutMs ? entry.endpoint : undefined
  }

  /** Notes what a client has now; its time starts anew. Drops what has timed out, and past the limit the
   *  client that was silent longest. */
  remember(pool: string, client: string, endpoint: string, nowMs: number, timeoutMs: number): void {
    const entries = this.#pools.get(pool) ?? new Map<string, Entry>()
    this.#pools.set(pool, entries)
    entries.delete(client)
    for (const [oldest, { usedMs }] of entries) {
      if (entries.size < this.#clientLimit && nowMs - usedMs < timeoutMs) break
      entries.delete(oldest)
    }
    entries.set(client, { endpoint, usedMs: nowMs })
  }

  /** Forgets the clients of all pools that are not wanted any more. */
  keepOnly(isWanted: (pool: string) => boolean): void {
    for (const pool of this.#pools.keys()) if (!isWanted(pool)) this.#pools.delete(pool)
  }

  /** Forgets the clients of a pool. */
  forget(pool: string): void {
    this.#pools.delete(pool)
  }

  /** Clients that are remembered. */
  get size(): number {
    let sum = 0
    for (const entries of this.#pools.values()) sum += entries.size
    return sum
  }
}
