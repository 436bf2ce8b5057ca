import type { Family } from '../../net/address.ts'
import type { NftablesBatch } from '../../netlink/nftables/batch.ts'
import type { NftablesConnection } from '../../netlink/nftables/connection.ts'
import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { Rule as KernelRule, TableFamily } from '../../netlink/nftables/objects.ts'
import type { SyncReport } from '../port/mechanism.ts'
import { builtInHooks } from './built-in-hooks.ts'
import { ownTarget } from './diff-program.ts'
import { EndpointTemplates } from './endpoint-templates.ts'
import { countOperations, planCommits, type TableCommit } from './plan-commits.ts'
import type { ChainDeletion } from './plan-deletions.ts'
import type { Rule } from './rule.ts'
import { kernelRule } from './rule-expressions.ts'
import type { RuleWriter } from './rule-writer.ts'
import { sumReports } from './sum-reports.ts'
import type { HookEdit, TableChanges } from './table-changes.ts'

/** Rules of one batch: about 160 services of 10 endpoints, just below the size (1 MiB) up to which the
 *  connection keeps its buffer for the next. Batches three times as large took a fifth more of our time. */
const maximumRules = 2_000

/** Writes the nf_tables variant's rules as its programs would, without starting any, over netlink. */
export class NetlinkWriter implements RuleWriter {
  readonly way = 'netlink (nf_tables)'
  readonly #connection: NftablesConnection
  readonly #templates = new EndpointTemplates()

  /** The connection stays the caller's. */
  constructor(connection: NftablesConnection) {
    this.#connection = connection
  }

  async write(family: Family, changes: TableChanges): Promise<SyncReport> {
    const reports: SyncReport[] = []
    for (const commit of planCommits(changes, maximumRules)) {
      reports.push(this.#commit(family, commit))
    }
    return sumReports(reports)
  }

  async delete(
    family: Family,
    deletions: readonly ChainDeletion[],
    removed: TableChanges['removed'],
  ): Promise<SyncReport> {
    const batch = this.#connection.newBatch()
    const tableFamily = tableFamilies[family]
    let operations = removed.length
    for (const { table, chain, before, indexes } of deletions) {
      const present = this.#connection.listRules(tableFamily, table, chain)
      if (present.length !== before.length) {
        throw new Error(
          `iptables: chain ${chain} of table ${table} has ${present.length} rules, ` +
            `expected ${before.length}: somebody else has changed it`,
        )
      }
      for (const index of indexes) {
        const handle = present[index]?.handle
        if (handle !== undefined) batch.deleteRule(tableFamily, table, chain, handle)
        operations++
      }
    }
    this.#addRemovals(batch, tableFamily, removed)
    const { bytes } = this.#connection.commit(batch)
    return { transactions: bytes === 0 ? 0 : 1, operations, bytes }
  }

  isOwnCommit(_processId: number, portId: number): boolean {
    return portId === this.#connection.portId
  }

  close(): void {}

  #commit(family: Family, commit: TableCommit): SyncReport {
    const { table, fill, hooks, remove } = commit
    const tableFamily = tableFamilies[family]
    const batch = this.#connection.newBatch()
    if (fill.length > 0 || hooks.length > 0) batch.addTable({ family: tableFamily, name: table })
    for (const chain of fill) batch.addChain(tableFamily, table, { name: chain.name })
    for (const chain of fill) {
      batch.flushChain(tableFamily, table, chain.name)
      for (const rule of chain.rules) {
        batch.addRule(tableFamily, table, this.#kernelRule(chain.name, rule, family))
      }
    }
    if (hooks.length > 0) {
      const present = this.#connection.listChains(tableFamily, table).map(({ name }) => name)
      for (const edit of hooks) this.#edit(batch, family, edit, new Set(present))
    }
    this.#addRemovals(
      batch,
      tableFamily,
      remove.map((name) => ({ table, name })),
    )
    const { bytes } = this.#connection.commit(batch)
    return { transactions: 1, operations: countOperations(commit), bytes }
  }

  #kernelRule(chain: string, rule: Rule, family: Family): KernelRule {
    return this.#templates.rule(chain, rule, family) ?? kernelRule(chain, rule, family)
  }

  /** Rules of ours in a built-in chain go, and others come. One that is there is not added again, as that
   *  would set its policy. */
  #edit(
    batch: NftablesBatch,
    family: Family,
    { table, chain, remove, insert }: HookEdit,
    present: ReadonlySet<string>,
  ): void {
    const tableFamily = tableFamilies[family]
    const hook = builtInHooks[table][chain]
    if (present.has(chain)) this.#deleteJumps(batch, tableFamily, { table, chain, remove })
    else if (hook !== undefined) batch.addChain(tableFamily, table, { name: chain, hook })
    for (const rule of insert.toReversed()) {
      batch.insertRule(tableFamily, table, this.#kernelRule(chain, rule, family))
    }
  }

  /** The kernel's rules have no text: one is meant that leads to the same chain as one to remove. */
  #deleteJumps(
    batch: NftablesBatch,
    family: TableFamily,
    { table, chain, remove }: Omit<HookEdit, 'insert'>,
  ): void {
    const targets = new Set(remove.map(ownTarget))
    const leadsThere = ({ name, data }: Expression): boolean =>
      name === 'immediate' && targets.has(data.data?.verdict?.chain)
    for (const { handle, expressions } of this.#connection.listRules(family, table, chain)) {
      if (handle !== undefined && expressions.some(leadsThere)) {
        batch.deleteRule(family, table, chain, handle)
      }
    }
  }

  #addRemovals(batch: NftablesBatch, family: TableFamily, chains: TableChanges['removed']): void {
    for (const { table, name } of chains) batch.flushChain(family, table, name)
    for (const { table, name } of chains) batch.deleteChain(family, table, name)
  }
}

/** The kernel's name of a family of tables. */
export const tableFamilies: Readonly<Record<Family, TableFamily>> = { 4: 'ip', 6: 'ip6' }
