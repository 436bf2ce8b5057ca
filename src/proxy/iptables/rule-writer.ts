import type { Family } from '../../net/address.ts'
import type { SyncReport } from '../port/mechanism.ts'
import type { ChainDeletion } from './plan-deletions.ts'
import type { TableChanges } from './table-changes.ts'

/** A way to bring changes of rules into the kernel. */
export interface RuleWriter {
  /** For logs: `restore (nf_tables)`. */
  readonly way: string
  /** Writes changes. Each commit takes effect whole or not at all; after a rejection the kernel has to be
   *  read again. */
  write(family: Family, changes: TableChanges): Promise<SyncReport>
  /** Deletes rules, then chains, and adds nothing. */
  delete(
    family: Family,
    deletions: readonly ChainDeletion[],
    removed: TableChanges['removed'],
  ): Promise<SyncReport>
  /** Whether this process made a commit that a notification tells of. */
  isOwnCommit(processId: number, portId: number): boolean
  close(): void
}
