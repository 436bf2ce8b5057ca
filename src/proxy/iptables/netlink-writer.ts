import type { Family } from '../../net/address.ts'
import type { NftablesBatch } from '../../netlink/nftables/batch.ts'
import type { NftablesConnection } from '../../netlink/nftables/connection.ts'
import type { TableFamily } from '../../netlink/nftables/objects.ts'
import type { SyncReport } from '../port/mechanism.ts'
import type { TableChanges } from './diff-program.ts'
import { EndpointTemplates } from './endpoint-templates.ts'
import { planCommits } from './plan-commits.ts'
import type { ChainDeletion } from './plan-deletions.ts'
import { RestoreWriter } from './restore-writer.ts'
import type { FilledChain } from './rule.ts'
import { isNative, kernelRule } from './rule-expressions.ts'
import type { RuleWriter } from './rule-writer.ts'
import type { IptablesPrograms } from './run-program.ts'
import { sumReports } from './sum-reports.ts'

/** Rules of one batch: about 500 services of 10 endpoints. */
const maximumRules = 6_000

/** Writes the nf_tables variant's rules without its programs, over netlink. Only the few constant chains
 *  with matches that are not made here, and rules in built-in chains, go through iptables-restore. */
export class NetlinkWriter implements RuleWriter {
  readonly way = 'netlink (nf_tables)'
  readonly #connection: NftablesConnection
  readonly #restore: RestoreWriter
  readonly #templates = new EndpointTemplates()

  constructor(connection: NftablesConnection, programs: IptablesPrograms) {
    this.#connection = connection
    this.#restore = new RestoreWriter(programs)
  }

  async write(family: Family, changes: TableChanges): Promise<SyncReport> {
    const native: FilledChain[] = []
    const others: FilledChain[] = []
    for (const chain of changes.filled) (chain.rules.every(isNative) ? native : others).push(chain)
    const { hooks, removed } = changes
    // What others lead to must be there first, and what is removed must not be led to any more.
    return sumReports([
      await this.#restore.write(family, { filled: others, removed: [], hooks: [] }),
      this.#fill(family, native),
      await this.#restore.write(family, { filled: [], removed: [], hooks }),
      this.#remove(family, removed),
    ])
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

  isOwnCommit(processId: number, portId: number): boolean {
    return portId === this.#connection.portId || this.#restore.isOwnCommit(processId)
  }

  close(): void {
    this.#connection.close()
  }

  #fill(family: Family, chains: readonly FilledChain[]): SyncReport {
    const table = tableFamilies[family]
    const commits = planCommits({ filled: chains, removed: [], hooks: [] }, maximumRules)
    const reports = commits.map(({ table: name, fill }): SyncReport => {
      const batch = this.#connection.newBatch()
      batch.addTable({ family: table, name })
      for (const chain of fill) batch.addChain(table, name, { name: chain.name })
      let operations = fill.length
      for (const chain of fill) {
        batch.flushChain(table, name, chain.name)
        for (const rule of chain.rules) {
          const kernel =
            this.#templates.rule(chain.name, rule, family) ?? kernelRule(chain.name, rule, family)
          batch.addRule(table, name, kernel)
        }
        operations += chain.rules.length
      }
      return { transactions: 1, operations, bytes: this.#connection.commit(batch).bytes }
    })
    return sumReports(reports)
  }

  #remove(family: Family, chains: TableChanges['removed']): SyncReport {
    if (chains.length === 0) return sumReports([])
    const table = tableFamilies[family]
    const batch = this.#connection.newBatch()
    this.#addRemovals(batch, table, chains)
    const { bytes } = this.#connection.commit(batch)
    return { transactions: 1, operations: chains.length, bytes }
  }

  #addRemovals(batch: NftablesBatch, family: TableFamily, chains: TableChanges['removed']): void {
    for (const { table, name } of chains) batch.flushChain(family, table, name)
    for (const { table, name } of chains) batch.deleteChain(family, table, name)
  }
}

const tableFamilies: Readonly<Record<Family, TableFamily>> = { 4: 'ip', 6: 'ip6' }
