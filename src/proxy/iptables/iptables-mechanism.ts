import type { Family } from '../../net/address.ts'
import type { Flow } from '../../net/flow.ts'
import { NftablesConnection } from '../../netlink/nftables/connection.ts'
import type { PlanChange, ServicePlan } from '../plan/plan.ts'
import type { Difference, Mechanism, Plan, SyncReport } from '../port/mechanism.ts'
import type { TracedVerdict } from '../port/verdict.ts'
import { simulateIptablesSave } from '../simulate/simulate-iptables-save.ts'
import { describeChanges } from './describe-changes.ts'
import { detectPrograms } from './detect-programs.ts'
import { diffProgram, removeProgram, type TableChanges } from './diff-program.ts'
import { FamilyProgram } from './family-program.ts'
import { NetlinkWriter } from './netlink-writer.ts'
import { readSave } from './read-save.ts'
import { RestoreWriter } from './restore-writer.ts'
import type { RuleWriter } from './rule-writer.ts'
import { type IptablesPrograms, runProgram } from './run-program.ts'
import { sumReports } from './sum-reports.ts'
import { watchTables } from './watch-tables.ts'

/** How rules are brought into the kernel. */
export type IptablesWay = 'netlink' | 'restore'

/** Opens the iptables mechanism on the network namespace of the process: picks the variant that the node
 *  uses, and writes over netlink where that is possible, unless `way` forbids it. Rejects with one line when
 *  no iptables is installed. Writes nothing yet. */
export async function openIptablesMechanism(
  way: IptablesWay = 'netlink',
): Promise<IptablesMechanism> {
  const programs = await detectPrograms()
  const connection =
    way === 'netlink' && programs.variant === 'nf_tables' ? openConnection() : undefined
  const writer =
    connection === undefined ? new RestoreWriter(programs) : new NetlinkWriter(connection, programs)
  return new IptablesMechanism(programs, writer)
}

/** Undefined where the kernel or a container's rules refuse the socket: the programs may still do. */
function openConnection(): NftablesConnection | undefined {
  try {
    return NftablesConnection.open()
  } catch {
    return undefined
  }
}

const families: readonly Family[] = [4, 6]

/** Services as chains of the tables nat and filter, with kube-proxy's names. */
export class IptablesMechanism implements Mechanism {
  readonly name = 'iptables'
  readonly #programs: IptablesPrograms
  readonly #writer: RuleWriter
  #families: readonly FamilyProgram[] = []
  /** What the kernel was last told, by service. */
  readonly #written = new Map<string, ServicePlan>()

  constructor(programs: IptablesPrograms, writer: RuleWriter) {
    this.#programs = programs
    this.#writer = writer
  }

  /** How rules are written, for logs: `restore (nf_tables)`. */
  get way(): string {
    return this.#writer.way
  }

  async synchronize(plan: Plan): Promise<SyncReport> {
    this.#compile(plan)
    const reports: SyncReport[] = []
    for (const family of families) {
      reports.push(await this.#writer.write(family, await this.#diff(plan, family)))
    }
    return sumReports(reports)
  }

  async update(changes: readonly PlanChange[]): Promise<SyncReport> {
    if (this.#families.length === 0)
      throw new Error('iptables: update before the first synchronize')
    const known = changes.map(({ service, after }) => {
      return { service, before: this.#written.get(service), after }
    })
    for (const { service, after } of changes) {
      if (after === undefined) this.#written.delete(service)
      else this.#written.set(service, after)
    }
    // All programs first: they stay equal to what was written last, even if writing one of them fails.
    const written = this.#families.map((program) => {
      return { family: program.family, changes: { ...program.update(known), hooks: [] } }
    })
    const reports: SyncReport[] = []
    for (const { family, changes: each } of written) {
      reports.push(await this.#writer.write(family, each))
    }
    return sumReports(reports)
  }

  async compare(plan: Plan): Promise<readonly Difference[]> {
    this.#compile(plan)
    const differences: Difference[] = []
    for (const family of families) {
      differences.push(...describeChanges(family, await this.#diff(plan, family)))
    }
    return differences
  }

  async trace(flow: Flow, localAddresses: readonly string[]): Promise<TracedVerdict> {
    const program = this.#programs.save[flow.family]
    const text = await runProgram(program, [])
    return simulateIptablesSave(text, program).verdict(flow, localAddresses)
  }

  watchDrift(onDrift: (what: string) => void, signal: AbortSignal): void {
    // The legacy variant tells nobody of changes: there, only the periodic comparison sees them.
    if (this.#programs.variant === 'legacy') return
    watchTables((processId, portId) => this.#writer.isOwnCommit(processId, portId), onDrift, signal)
  }

  async cleanup(): Promise<SyncReport> {
    const reports: SyncReport[] = []
    for (const family of families) {
      const { kernel } = await this.#read(family)
      reports.push(await this.#writer.write(family, removeProgram(kernel)))
    }
    this.#families = []
    this.#written.clear()
    return sumReports(reports)
  }

  close(): void {
    this.#writer.close()
  }

  #compile({ node, services }: Plan): void {
    this.#families = node.families.map((family) => new FamilyProgram(family, node))
    this.#written.clear()
    for (const [service, after] of services) this.#written.set(service, after)
    for (const program of this.#families) program.load(services.values())
  }

  /** A family that the node does not serve shall have nothing of ours. */
  async #diff({ services }: Plan, family: Family): Promise<TableChanges> {
    const program = this.#families.find((candidate) => candidate.family === family)
    if (program === undefined) {
      const read = await this.#read(family).catch(() => undefined)
      return read === undefined ? nothing : removeProgram(read.kernel)
    }
    const { kernel } = await this.#read(family)
    return diffProgram(program, services.values(), kernel)
  }

  async #read(family: Family): Promise<{ readonly kernel: ReturnType<typeof readSave> }> {
    const program = this.#programs.save[family]
    const text = await runProgram(program, [])
    return { kernel: readSave(text, program) }
  }
}

const nothing: TableChanges = { filled: [], removed: [], hooks: [] }
