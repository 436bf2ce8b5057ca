import type { LegacySizes, TableSize } from './legacy-sizes.ts'

/** Time between two looks; a look takes less than a tenth of a millisecond. */
const lookPeriodMs = 1_000

/** Notices that somebody else has changed a table of the legacy variant, of which the kernel tells nobody: its
 *  size is not what it was after our last change. */
export class LegacyDrift {
  readonly #sizes: Pick<LegacySizes, 'read' | 'close'>
  readonly #periodMs: number
  /** Undefined while we change something ourselves. */
  #expected: ReadonlyMap<string, TableSize> | undefined

  constructor(sizes: Pick<LegacySizes, 'read' | 'close'>, periodMs = lookPeriodMs) {
    this.#sizes = sizes
    this.#periodMs = periodMs
  }

  /** Changes of our own: sizes count again from their end on. */
  async during<T>(change: () => Promise<T>): Promise<T> {
    this.#expected = undefined
    try {
      return await change()
    } finally {
      this.#expected = this.#sizes.read()
    }
  }

  /** Calls back at most once for each change of size, until the signal ends. */
  watch(onDrift: (what: string) => void, signal: AbortSignal): void {
    const timer = setInterval(() => {
      const what = this.#look()
      if (what !== undefined) onDrift(what)
    }, this.#periodMs)
    if (signal.aborted) clearInterval(timer)
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }

  close(): void {
    this.#sizes.close()
  }

  #look(): string | undefined {
    if (this.#expected === undefined) return undefined
    const found = this.#sizes.read()
    const expected = this.#expected
    const changed = [...found].find(([table, { all }]) => expected.get(table)?.all !== all)
    if (changed === undefined) return undefined
    this.#expected = found
    const [table, { entries }] = changed
    return `${table} has ${entries} entries, ${expected.get(table)?.entries ?? 'none'} before`
  }
}
