import type { Flow } from '../../net/flow.ts'
import type { NftablesBatch } from '../../netlink/nftables/batch.ts'
import type { NftablesConnection } from '../../netlink/nftables/connection.ts'
import type { SetDefinition } from '../../netlink/nftables/objects.ts'
import { watchNftables } from '../../netlink/nftables/watch-nftables.ts'
import { BatchSink, setsByName } from '../../ruleset/batch-sink.ts'
import type { ElementSink } from '../../ruleset/element-sink.ts'
import { NetSink } from '../../ruleset/net-sink.ts'
import { openForTables } from '../../ruleset/open-for-tables.ts'
import { writeTableDifference } from '../../ruleset/whole-table.ts'
import type { PlanChange, ServicePlan } from '../plan/plan.ts'
import type { Difference, Mechanism, Plan, SyncReport } from '../port/mechanism.ts'
import type { TracedVerdict } from '../port/verdict.ts'
import { programVerdict } from '../simulate/program-verdict.ts'
import { affinityTimeouts } from './affinity-timeouts.ts'
import { tableName } from './compile.ts'
import { describeDifference } from './describe-difference.ts'
import { layoutOf } from './family-layout.ts'
import { kernelProgram } from './program.ts'
import { readTable } from './read.ts'
import { TableCompiler } from './table-compiler.ts'
import { tableSets } from './table-sets.ts'
import { compareTable, compareTimeouts, type TimedTableDifference } from './table-sync.ts'

/** Opens the nftables mechanism on the network namespace of the process. Throws a NetlinkError without
 *  CAP_NET_ADMIN, and an error that names the modules that the kernel lacks; writes nothing yet. */
export function openNftablesMechanism(): NftablesMechanism {
  return new NftablesMechanism(openForTables())
}

const nothingWritten: SyncReport = { transactions: 0, operations: 0, bytes: 0 }
const nowhere: ElementSink = { add: () => {}, remove: () => {} }

interface Family {
  readonly compiler: TableCompiler
  readonly sets: ReadonlyMap<string, SetDefinition>
  /** The affinity timeouts that the table in the kernel has chains for. */
  timeouts: readonly number[]
}

/** Services as elements of constant maps in the tables `ip portolan` and `ip6 portolan`. */
export class NftablesMechanism implements Mechanism {
  readonly name = 'nftables'
  readonly #connection: NftablesConnection
  #families: readonly Family[] = []
  /** What the compilers have compiled, by service. */
  readonly #compiled = new Map<string, ServicePlan>()
  #plan: Plan | undefined
  /** Number of the rule set after what was read or written last, if nobody else wrote since. */
  #generation = 0

  constructor(connection: NftablesConnection) {
    this.#connection = connection
  }

  async synchronize(plan: Plan): Promise<SyncReport> {
    const differences = this.#compare(plan)
    const batch = this.#connection.newBatch()
    let operations = 0
    for (const difference of differences) operations += writeTableDifference(difference, batch)
    for (const layout of this.#unwantedTables(plan)) {
      batch.deleteTable(layout, tableName)
      operations++
    }
    return this.#commit(batch, operations)
  }

  async update(changes: readonly PlanChange[]): Promise<SyncReport> {
    const plan = this.#plan
    if (plan === undefined) throw new Error('nftables: update before the first synchronize')
    const batch = this.#connection.newBatch()
    let operations = this.#addTimeouts(plan, changes, batch)
    for (const { compiler, sets } of this.#families) {
      const sink = new NetSink()
      for (const { service, after } of changes) {
        compiler.update(this.#compiled.get(service), after, sink)
      }
      const table = { family: compiler.layout.table, name: tableName }
      operations += sink.flush(new BatchSink(batch, table, sets))
    }
    for (const { service, after } of changes) this.#remember(service, after)
    return this.#commit(batch, operations)
  }

  async compare(plan: Plan): Promise<readonly Difference[]> {
    const unwanted = this.#unwantedTables(plan).map(
      (family): Difference => ({ kind: 'unexpected', object: `table ${family} ${tableName}` }),
    )
    return [...this.#compare(plan).flatMap(describeDifference), ...unwanted]
  }

  async trace(flow: Flow, localAddresses: readonly string[]): Promise<TracedVerdict> {
    return programVerdict(kernelProgram(this.#connection), flow, localAddresses)
  }

  watchDrift(onDrift: (what: string) => void, signal: AbortSignal): void {
    const { portId } = this.#connection
    watchNftables(
      (change) => {
        if (change.type === 'overrun') onDrift('notifications of the kernel were lost')
        else if (change.table === tableName) {
          onDrift(`${change.type} in table ${change.family} ${change.table}`)
        }
      },
      signal,
      portId,
    )
    if (this.#connection.generation() !== this.#generation)
      onDrift('a change before the watch began')
  }

  async cleanup(): Promise<SyncReport> {
    const batch = this.#connection.newBatch()
    const families = this.#presentTables()
    for (const family of families) batch.deleteTable(family, tableName)
    return this.#commit(batch, families.length)
  }

  close(): void {
    this.#connection.close()
  }

  /** Compiles what changed in the plan and compares all of it with the kernel. */
  #compare(plan: Plan): readonly TimedTableDifference[] {
    this.#setFamilies(plan)
    this.#generation = this.#connection.generation()
    const kernel = this.#families.map(({ compiler }) => {
      const table = readTable(this.#connection, compiler.layout.table)
      compiler.adopt(table?.pools.values() ?? [])
      return table
    })
    this.#compile(plan)
    return this.#families.map((family, index) => {
      family.compiler.forgetAdopted()
      const difference = compareTable(kernel[index], family.compiler, plan)
      family.timeouts = difference.timeouts
      return difference
    })
  }

  #setFamilies(plan: Plan): void {
    this.#plan = plan
    const wanted = plan.node.families
    const present = this.#families.map(({ compiler }) => compiler.layout.family)
    if (present.join() === wanted.join()) return
    this.#families = wanted.map((family) => {
      const layout = layoutOf(family)
      return {
        compiler: new TableCompiler(layout),
        sets: setsByName(tableSets(layout)),
        timeouts: [],
      }
    })
    this.#compiled.clear()
  }

  #compile(plan: Plan): void {
    for (const [service, after] of plan.services) {
      const before = this.#compiled.get(service)
      if (before === after) continue
      for (const { compiler } of this.#families) compiler.updatePools(before, after, nowhere)
      this.#compiled.set(service, after)
    }
    for (const [service, before] of this.#compiled) {
      if (plan.services.has(service)) continue
      for (const { compiler } of this.#families) compiler.updatePools(before, undefined, nowhere)
      this.#compiled.delete(service)
    }
  }

  #remember(service: string, after: ServicePlan | undefined): void {
    if (after === undefined) this.#compiled.delete(service)
    else this.#compiled.set(service, after)
  }

  /** Writes the chains for affinity timeouts that no service had before; returns how many operations. */
  #addTimeouts(plan: Plan, changes: readonly PlanChange[], batch: NftablesBatch): number {
    const asked = affinityTimeouts(
      changes.flatMap(({ after }) => after ?? []),
      undefined,
    )
    let operations = 0
    for (const family of this.#families) {
      const fresh = asked.filter((seconds) => !family.timeouts.includes(seconds))
      if (fresh.length === 0) continue
      const timeouts = [...family.timeouts, ...fresh].sort((left, right) => left - right)
      const { layout } = family.compiler
      const difference = compareTimeouts(layout, plan.node, family.timeouts, timeouts)
      operations += writeTableDifference(difference, batch)
      family.timeouts = timeouts
    }
    return operations
  }

  #presentTables(): readonly ('ip' | 'ip6')[] {
    return this.#connection
      .listTables()
      .filter((table) => table.name === tableName)
      .map((table) => table.family)
  }

  #unwantedTables(plan: Plan): readonly ('ip' | 'ip6')[] {
    const wanted = new Set(plan.node.families.map((family) => layoutOf(family).table))
    return this.#presentTables().filter((family) => !wanted.has(family))
  }

  #commit(batch: NftablesBatch, operations: number): SyncReport {
    const { bytes } = this.#connection.commit(batch)
    if (bytes > 0) this.#generation++
    return bytes === 0 ? nothingWritten : { transactions: 1, operations, bytes }
  }
}
