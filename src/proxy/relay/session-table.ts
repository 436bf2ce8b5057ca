/** What the table needs to know of a session. */
export interface TableSession {
  /** Who opened it. */
  readonly client: string
  /** When something came or went last, monotonic milliseconds. */
  lastMs: number
}

/** Sessions that are looked at when room is needed: of so many, one of the busiest client is nearly always
 *  found when it has a fourth of all. */
const sampleSize = 16

/** UDP sessions by key, bounded. When it is full, a session of the client that has most of those looked at
 *  goes: who opens many sessions pushes out its own ones. */
export class SessionTable<S extends TableSession> {
  readonly #limit: number
  readonly #random: () => number
  readonly #byKey = new Map<string, { readonly session: S; index: number }>()
  readonly #keys: string[] = []
  readonly #counts = new Map<string, number>()

  constructor(limit: number, random: () => number) {
    this.#limit = limit
    this.#random = random
  }

  get size(): number {
    return this.#keys.length
  }

  get isFull(): boolean {
    return this.#keys.length >= this.#limit
  }

  get(key: string): S | undefined {
    return this.#byKey.get(key)?.session
  }

  values(): S[] {
    return [...this.#byKey.values()].map(({ session }) => session)
  }

  /** Adds a session under a key that has none. The table must have room. */
  add(key: string, session: S): void {
    this.#byKey.set(key, { session, index: this.#keys.length })
    this.#keys.push(key)
    this.#counts.set(session.client, (this.#counts.get(session.client) ?? 0) + 1)
  }

  delete(key: string): void {
    const entry = this.#byKey.get(key)
    const last = this.#keys.pop()
    if (entry === undefined || last === undefined) {
      if (last !== undefined) this.#keys.push(last)
      return
    }
    this.#byKey.delete(key)
    if (last !== key) {
      this.#keys[entry.index] = last
      const moved = this.#byKey.get(last)
      if (moved !== undefined) moved.index = entry.index
    }
    const { client } = entry.session
    const count = (this.#counts.get(client) ?? 1) - 1
    if (count > 0) this.#counts.set(client, count)
    else this.#counts.delete(client)
  }

  /** The session that is to make room; undefined when there is none. */
  victim(): S | undefined {
    let found: S | undefined
    for (let draw = 0; draw < sampleSize; draw++) {
      const key = this.#keys[Math.floor(this.#random() * this.#keys.length)]
      const session = key === undefined ? undefined : this.get(key)
      if (session === undefined) continue
      if (found === undefined || this.#isWorse(session, found)) found = session
    }
    return found
  }

  #isWorse(session: S, than: S): boolean {
    const difference = this.#count(session) - this.#count(than)
    return difference === 0 ? session.lastMs < than.lastMs : difference > 0
  }

  #count({ client }: S): number {
    return this.#counts.get(client) ?? 0
  }
}
