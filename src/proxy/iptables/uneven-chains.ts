import type { ProgramChanges } from './family-program.ts'
import type { ChainDeletion } from './plan-deletions.ts'
import type { FilledChain, Rule } from './rule.ts'

/** Chains from which rules were only deleted: the shares of those that are left are not even, until the
 *  chain is written anew. */
export class UnevenChains {
  readonly #chains = new Map<
    string,
    { readonly wanted: FilledChain; readonly actual: readonly Rule[] }
  >()

  get isEmpty(): boolean {
    return this.#chains.size === 0
  }

  /** Changes with what is really in the kernel as `before`. */
  correct({ filled, removed }: ProgramChanges): ProgramChanges {
    if (this.isEmpty) return { filled, removed }
    return {
      filled: filled.map((chain) => {
        const uneven = this.#chains.get(keyOf(chain))
        return uneven === undefined ? chain : { ...chain, before: uneven.actual }
      }),
      removed,
    }
  }

  /** Adds to changes whatever chain is still uneven and that they do not touch. */
  join({ filled, removed }: ProgramChanges): ProgramChanges {
    if (this.isEmpty) return { filled, removed }
    const touched = new Set([...filled, ...removed].map(keyOf))
    const others = [...this.#chains].filter(([key]) => !touched.has(key))
    return { filled: [...others.map(([, { wanted }]) => wanted), ...filled], removed }
  }

  /** Takes note of deletions that were made. */
  deleted({ filled, removed }: ProgramChanges, deletions: readonly ChainDeletion[]): void {
    for (const chain of removed) this.#chains.delete(keyOf(chain))
    for (const [index, wanted] of filled.entries()) {
      const actual = deletions[index]?.after ?? []
      const isEven = JSON.stringify(actual) === JSON.stringify(wanted.rules)
      if (isEven) this.#chains.delete(keyOf(wanted))
      else this.#chains.set(keyOf(wanted), { wanted, actual })
    }
  }

  /** All are even: everything was written, or read and compared. */
  clear(): void {
    this.#chains.clear()
  }
}

function keyOf({ table, name }: Pick<FilledChain, 'table' | 'name'>): string {
  return `${table} ${name}`
}
