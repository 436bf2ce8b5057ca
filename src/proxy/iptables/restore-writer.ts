import type { Family } from '../../net/address.ts'
import type { SyncReport } from '../port/mechanism.ts'
import { formatCommit } from './format-commit.ts'
import { formatRule } from './format-rule.ts'
import { countOperations, planCommits, type TableCommit } from './plan-commits.ts'
import type { ChainDeletion } from './plan-deletions.ts'
import type { RuleWriter } from './rule-writer.ts'
import { type IptablesPrograms, runProgram } from './run-program.ts'
import { type HookEdit, type TableChanges, toTableChanges } from './table-changes.ts'

/** Rules of one COMMIT. nf_tables: about 50 services of 10 endpoints, as the program's own time grows with
 *  chains times rules of a COMMIT. legacy: all, as each COMMIT reads and writes the whole table. */
const maximumRules = { nf_tables: 500, legacy: Number.POSITIVE_INFINITY } as const

/** Seconds that the program waits for the lock of other iptables programs; legacy only. */
const lockSeconds = '5'

/** Processes whose commits may still be told of. */
const rememberedProcesses = 64

/** Writes through `iptables-restore --noflush`, one process for all commits of a family. */
export class RestoreWriter implements RuleWriter {
  readonly way: string
  readonly #programs: IptablesPrograms
  readonly #maximumRules: number
  #processIds: readonly number[] = []

  constructor(programs: IptablesPrograms) {
    this.#programs = programs
    this.#maximumRules = maximumRules[programs.variant]
    this.way = `restore (${programs.variant})`
  }

  async write(family: Family, changes: TableChanges): Promise<SyncReport> {
    return this.#run(family, [...planCommits(changes, this.#maximumRules)])
  }

  async delete(
    family: Family,
    deletions: readonly ChainDeletion[],
    removed: TableChanges['removed'],
  ): Promise<SyncReport> {
    const changes = toTableChanges({ filled: [], removed }, toEdits(deletions, family))
    return this.#run(family, [...planCommits(changes, this.#maximumRules)])
  }

  async #run(family: Family, commits: readonly TableCommit[]): Promise<SyncReport> {
    if (commits.length === 0) return { transactions: 0, operations: 0, bytes: 0 }
    const input = commits.map((commit) => formatCommit(commit, family)).join('')
    const args = ['--noflush', '-w', lockSeconds]
    await runProgram(this.#programs.restore[family], args, input, (processId) => {
      // Now, because notifications of its commits come while it still runs.
      this.#processIds = [...this.#processIds, processId].slice(-rememberedProcesses)
    })
    return {
      transactions: commits.length,
      operations: commits.reduce((sum, commit) => sum + countOperations(commit), 0),
      bytes: Buffer.byteLength(input),
    }
  }

  isOwnCommit(processId: number): boolean {
    return this.#processIds.includes(processId)
  }

  close(): void {}
}

/** Rules that are deleted by their words. */
function toEdits(deletions: readonly ChainDeletion[], family: Family): readonly HookEdit[] {
  return deletions.map(({ table, chain, before, indexes }) => {
    const rules = indexes.flatMap((index) => before[index] ?? [])
    return { table, chain, remove: rules.map((rule) => formatRule(rule, family)), insert: [] }
  })
}
