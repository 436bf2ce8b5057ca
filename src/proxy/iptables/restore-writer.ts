import type { Family } from '../../net/address.ts'
import type { SyncReport } from '../port/mechanism.ts'
import { formatChanges, type InputPiece } from './format-changes.ts'
import { formatRule } from './format-rule.ts'
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

  write(family: Family, changes: TableChanges): Promise<SyncReport> {
    return this.#run(family, changes)
  }

  delete(
    family: Family,
    deletions: readonly ChainDeletion[],
    removed: TableChanges['removed'],
  ): Promise<SyncReport> {
    return this.#run(family, toTableChanges({ filled: [], removed }, toEdits(deletions, family)))
  }

  async #run(family: Family, changes: TableChanges): Promise<SyncReport> {
    const pieces = (): Generator<InputPiece> => formatChanges(changes, family, this.#maximumRules)
    const report = { transactions: 0, operations: 0, bytes: 0 }
    if (pieces().next().done === true) return report
    const args = ['--noflush', '-w', lockSeconds]
    const input = (): Iterable<string> => countPieces(pieces(), report)
    await runProgram(this.#programs.restore[family], args, input, (processId) => {
      // Now, because notifications of its commits come while it still runs.
      this.#processIds = [...this.#processIds, processId].slice(-rememberedProcesses)
    })
    return report
  }

  isOwnCommit(processId: number): boolean {
    return this.#processIds.includes(processId)
  }

  close(): void {}
}

/** The text of pieces; each is counted when it is taken. */
function* countPieces(
  pieces: Iterable<InputPiece>,
  report: { -readonly [Name in keyof SyncReport]: SyncReport[Name] },
): Generator<string> {
  for (const { text, operations, isCommit } of pieces) {
    report.transactions += isCommit ? 1 : 0
    report.operations += operations
    report.bytes += Buffer.byteLength(text)
    yield text
  }
}

/** Rules that are deleted by their words. */
function toEdits(deletions: readonly ChainDeletion[], family: Family): readonly HookEdit[] {
  return deletions.map(({ table, chain, before, indexes }) => {
    const rules = indexes.flatMap((index) => before[index] ?? [])
    return { table, chain, remove: rules.map((rule) => formatRule(rule, family)), insert: [] }
  })
}
