import type { Family } from '../../net/address.ts'
import type { Flow } from '../../net/flow.ts'
import { NftablesConnection } from '../../netlink/nftables/connection.ts'
import type { PlanChange, ServicePlan } from '../plan/plan.ts'
import type { Difference, Mechanism, Plan, SyncReport } from '../port/mechanism.ts'
import type { TracedVerdict } from '../port/verdict.ts'
import { simulateIptablesSave } from '../simulate/simulate-iptables-save.ts'
import type { RuleStyle } from './compile-service.ts'
import { describeChanges } from './describe-changes.ts'
import { detectPrograms } from './detect-programs.ts'
import { diffProgram, removeProgram } from './diff-program.ts'
import { FamilyProgram, type ProgramChanges } from './family-program.ts'
import { formatOwnRules } from './format-own-rules.ts'
import { isInPlace } from './is-in-place.ts'
import { LegacyDrift } from './legacy-drift.ts'
import { LegacySizes } from './legacy-sizes.ts'
import { NetlinkWriter } from './netlink-writer.ts'
import { planDeletions } from './plan-deletions.ts'
import { readKernel } from './read-kernel.ts'
import type { KernelTables } from './read-save.ts'
import { removeOurs } from './remove-ours.ts'
import { RestoreWriter } from './restore-writer.ts'
import type { RuleWriter } from './rule-writer.ts'
import type { IptablesPrograms } from './run-program.ts'
import { sumReports } from './sum-reports.ts'
import { type TableChanges, toTableChanges } from './table-changes.ts'
import { UnevenChains } from './uneven-chains.ts'
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
    connection === undefined ? new RestoreWriter(programs) : new NetlinkWriter(connection)
  const drift = programs.variant === 'legacy' ? new LegacyDrift(LegacySizes.open()) : undefined
  return new IptablesMechanism({ programs, writer, connection, drift })
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

interface ServedFamily {
  readonly program: FamilyProgram
  readonly uneven: UnevenChains
}

/** What the mechanism works with; it closes them. */
interface MechanismParts {
  readonly programs: IptablesPrograms
  readonly writer: RuleWriter
  /** Undefined where rules are read by programs only. */
  readonly connection: NftablesConnection | undefined
  /** Of the legacy variant; the kernel tells of changes in the other. */
  readonly drift: LegacyDrift | undefined
}

/** Endpoints that go one after the other are put right once; new connections are uneven for as long. */
const settleMs = 1_000

/** Services as chains of the tables nat and filter, with kube-proxy's names. */
export class IptablesMechanism implements Mechanism {
  readonly name = 'iptables'
  readonly #programs: IptablesPrograms
  readonly #style: RuleStyle
  readonly #writer: RuleWriter
  readonly #connection: MechanismParts['connection']
  readonly #drift: MechanismParts['drift']
  #families: readonly ServedFamily[] = []
  #cancelSettling: () => void = () => {}
  /** Settled when the last operation has ended. */
  #last: Promise<void> = Promise.resolve()
  /** What the kernel was last told, by service. */
  readonly #written = new Map<string, ServicePlan>()

  constructor({ programs, writer, connection, drift }: MechanismParts) {
    this.#programs = programs
    this.#style = { hasEndpointComments: programs.variant === 'nf_tables' }
    this.#connection = connection
    this.#writer = writer
    this.#drift = drift
  }

  /** How rules are written, for logs: `restore (nf_tables)`. */
  get way(): string {
    return this.#writer.way
  }

  synchronize(plan: Plan): Promise<SyncReport> {
    return this.#changing(() => this.#synchronize(plan))
  }

  update(changes: readonly PlanChange[]): Promise<SyncReport> {
    return this.#changing(() => this.#update(changes))
  }

  /** Makes balance even again where endpoints were only taken out; happens by itself some time after. */
  settle(): Promise<void> {
    return this.#changing(() => this.#settle())
  }

  compare(plan: Plan): Promise<readonly Difference[]> {
    return this.#inTurn(() => this.#compare(plan))
  }

  cleanup(): Promise<SyncReport> {
    return this.#changing(() => this.#cleanup())
  }

  async trace(flow: Flow, localAddresses: readonly string[]): Promise<TracedVerdict> {
    const text = formatOwnRules(await this.#read(flow.family))
    const source = this.#programs.save[flow.family]
    return simulateIptablesSave(text, source).verdict(flow, localAddresses)
  }

  watchDrift(onDrift: (what: string) => void, signal: AbortSignal): void {
    if (this.#drift !== undefined) this.#drift.watch(onDrift, signal)
    else watchTables((process, port) => this.#writer.isOwnCommit(process, port), onDrift, signal)
  }

  close(): void {
    this.#cancelSettling()
    this.#writer.close()
    this.#connection?.close()
    this.#drift?.close()
  }

  /** One thing after the other: what settles by itself must not meet a change half-way. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run)
    this.#last = result.then(
      () => {},
      () => {},
    )
    return result
  }

  #changing<T>(run: () => Promise<T>): Promise<T> {
    const drift = this.#drift
    return this.#inTurn(drift === undefined ? run : () => drift.during(run))
  }

  async #synchronize(plan: Plan): Promise<SyncReport> {
    this.#cancelSettling()
    this.#families = compileFamilies(plan, this.#style)
    this.#written.clear()
    for (const [service, after] of plan.services) this.#written.set(service, after)
    const reports: SyncReport[] = []
    for (const family of families) {
      const changes = await this.#diffFamily(plan, this.#families, family)
      reports.push(await this.#writer.write(family, changes))
    }
    return sumReports(reports)
  }

  async #update(changes: readonly PlanChange[]): Promise<SyncReport> {
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
    const written = this.#families.map((served) => ({
      served,
      changes: served.program.update(known),
    }))
    const reports: SyncReport[] = []
    for (const { served, changes: each } of written) reports.push(await this.#write(served, each))
    this.#settleLater()
    return sumReports(reports)
  }

  async #settle(): Promise<void> {
    this.#cancelSettling()
    for (const { program, uneven } of this.#families) {
      if (uneven.isEmpty) continue
      const changes = uneven.join({ filled: [], removed: [] })
      await this.#writer.write(program.family, toTableChanges(changes))
      uneven.clear()
    }
  }

  async #compare(plan: Plan): Promise<readonly Difference[]> {
    const compiled = compileFamilies(plan, this.#style)
    const differences: Difference[] = []
    for (const family of families) {
      const changes = await this.#diffFamily(plan, compiled, family)
      differences.push(...describeChanges(family, changes))
    }
    return differences
  }

  async #cleanup(): Promise<SyncReport> {
    this.#cancelSettling()
    const reports: SyncReport[] = []
    for (const family of families) {
      const kernel = await this.#read(family)
      reports.push(await this.#writer.write(family, removeOurs(kernel)))
    }
    this.#families = []
    this.#written.clear()
    return sumReports(reports)
  }

  /** What only takes rules away is written as such: the kernel then looks at no other rule. */
  async #write({ program, uneven }: ServedFamily, wanted: ProgramChanges): Promise<SyncReport> {
    const changes = uneven.correct(wanted)
    const deletions = planDeletions(changes)
    if (deletions !== undefined) {
      const report = await this.#writer.delete(program.family, deletions, changes.removed)
      uneven.deleted(changes, deletions)
      return report
    }
    const report = await this.#writer.write(program.family, toTableChanges(uneven.join(changes)))
    uneven.clear()
    return report
  }

  #settleLater(): void {
    this.#cancelSettling()
    if (this.#families.every(({ uneven }) => uneven.isEmpty)) return
    const timer = setTimeout(() => {
      // A failure shows at the next change or comparison, which writes these chains again.
      this.settle().catch(() => {})
    }, settleMs)
    timer.unref()
    this.#cancelSettling = () => clearTimeout(timer)
  }

  async #diffFamily(
    plan: Plan,
    compiled: readonly ServedFamily[],
    family: Family,
  ): Promise<TableChanges> {
    const served = compiled.find(({ program }) => program.family === family)
    // A family that the node does not serve shall have nothing of ours; its programs may be missing.
    if (served === undefined) {
      const kernel = await this.#read(family).catch(() => undefined)
      return kernel === undefined ? nothing : removeProgram(kernel)
    }
    const { program } = served
    if (this.#connection !== undefined && isInPlace(this.#connection, program, plan.services)) {
      return nothing
    }
    return diffProgram(program, plan.services, await this.#read(family))
  }

  #read(family: Family): Promise<KernelTables> {
    return readKernel(family, this.#programs, this.#connection)
  }
}

const nothing = toTableChanges({ filled: [], removed: [] })

function compileFamilies({ node, services }: Plan, style: RuleStyle): readonly ServedFamily[] {
  return node.families.map((family) => {
    const program = new FamilyProgram(family, node, style)
    program.load(services.values())
    return { program, uneven: new UnevenChains() }
  })
}
