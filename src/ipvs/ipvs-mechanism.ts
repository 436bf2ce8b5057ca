import type { Family } from '../net/address.ts'
import type { Flow } from '../net/flow.ts'
import { type Prefix, prefixContains } from '../net/prefix.ts'
import { HostAddresses } from '../netlink/host-addresses.ts'
import { NetlinkError } from '../netlink/netlink-error.ts'
import { NftablesConnection } from '../netlink/nftables/connection.ts'
import { RouteConnection } from '../netlink/route.ts'
import type { PlanChange, ServicePlan } from '../proxy/plan/plan.ts'
import type { FrontendCounters } from '../proxy/port/frontend-counters.ts'
import type { Difference, Mechanism, Plan, SyncReport } from '../proxy/port/mechanism.ts'
import type { TracedVerdict } from '../proxy/port/verdict.ts'
import { BatchSink } from '../ruleset/batch-sink.ts'
import { frontendKey } from '../ruleset/element-keys.ts'
import { compareWholeTable, writeTableDifference } from '../ruleset/whole-table.ts'
import { awaitIdle } from './await-idle.ts'
import { describeDifference, type KernelDifference } from './describe-difference.ts'
import { type DrainClock, Draining, longestDrainMs } from './draining.ts'
import { filterTable, hookNames, tableName } from './filter-rules.ts'
import { filterSetsByName } from './filter-sets.ts'
import { frontendCounters } from './frontend-counters.ts'
import { IpvsConnection, type IpvsOperation, type IpvsTimeouts } from './ipvs-connection.ts'
import { IpvsProgram } from './ipvs-program.ts'
import { applyKernelSettings } from './kernel-settings.ts'
import {
  adoptMarks,
  families,
  isOurServer,
  type KernelState,
  readKernel,
  readOwnState,
} from './kernel-state.ts'
import { loadScheduler } from './load-scheduler.ts'
import { diffServer, type PresentServer, type ServerDifference } from './server-difference.ts'
import { interfaceName } from './service-addresses.ts'
import { ShortCutMarks } from './short-cut-marks.ts'
import { traceFlow } from './trace-flow.ts'
import { formatDestination, type VirtualServerKey } from './virtual-server.ts'
import { watchForeignChanges } from './watch-foreign-changes.ts'

/** What the configuration says about this mode (KubeProxyConfiguration.ipvs). */
export interface IpvsOptions {
  /** Name of the kernel's scheduler; empty: rr. */
  readonly scheduler: string
  /** Virtual servers in these ranges are somebody else's. */
  readonly excludeCidrs: readonly Prefix[]
  readonly isArpStrict: boolean
  readonly timeouts: IpvsTimeouts
  readonly clock: DrainClock
}

/** Opens the IPVS mechanism on the network namespace of the process. Throws an error that names the module
 *  where the kernel has no IPVS, and a NetlinkError without CAP_NET_ADMIN; writes nothing yet. */
export function openIpvsMechanism(options: IpvsOptions): IpvsMechanism {
  const ipvs = openConnection()
  try {
    loadScheduler(options.scheduler)
    return new IpvsMechanism(options, ipvs)
  } catch (error) {
    ipvs.close()
    throw error
  }
}

/** Services as virtual servers of IPVS, with their addresses on a dummy interface and the tables
 *  `ip portolan-ipvs` and `ip6 portolan-ipvs` for what IPVS does not do. */
export class IpvsMechanism implements Mechanism {
  readonly name = 'ipvs'
  readonly #options: IpvsOptions
  readonly #ipvs: IpvsConnection
  readonly #nftables = NftablesConnection.open()
  readonly #route = RouteConnection.open()
  readonly #addresses = new HostAddresses(this.#route, interfaceName)
  readonly #draining: Draining
  #marks: ShortCutMarks | undefined
  #plan: Plan | undefined
  #program: IpvsProgram | undefined
  /** The node's own addresses when the program was compiled. */
  #ownAddresses: readonly string[] = []
  /** What is compiled, by service. */
  #services = new Map<string, ServicePlan>()
  /** Virtual servers of ours in the kernel after what was written last. */
  readonly #present = new Map<string, PresentServer>()

  constructor(options: IpvsOptions, ipvs: IpvsConnection) {
    this.#options = options
    this.#ipvs = ipvs
    this.#draining = new Draining(ipvs, options.clock, () => this.#removeDrained())
  }

  /** How service addresses are made local, for logs. */
  get way(): string {
    return this.#addresses.way
  }

  async synchronize(plan: Plan): Promise<SyncReport> {
    const settings = applyKernelSettings(this.#options.isArpStrict) + this.#setTimeouts()
    const report = this.#write(this.#compare(plan))
    return { ...report, operations: report.operations + settings }
  }

  async update(changes: readonly PlanChange[]): Promise<SyncReport> {
    const [program, plan] = [this.#program, this.#plan]
    if (program === undefined || plan === undefined) {
      throw new Error('ipvs: update before the first synchronize')
    }
    const difference = program.update(
      changes.map(({ service, after }) => ({ before: this.#services.get(service), after })),
    )
    for (const { service, after } of changes) {
      if (after === undefined) this.#services.delete(service)
      else this.#services.set(service, after)
    }
    const servers = new Map<string, ServerDifference>()
    for (const { key: name, before, after } of difference.servers) {
      const key = (after ?? before)?.server.key
      if (key === undefined) continue
      const isServed = isServedBy(program, key)
      servers.set(name, diffServer(this.#present.get(name), after, isServed))
    }
    for (const name of this.#draining.servers()) this.#endLingering(program, name, servers)
    const { addresses } = difference
    return this.#writeAll({
      servers,
      writeFilters: (batch) => {
        let operations = 0
        for (const family of difference.hasElements ? plan.node.families : []) {
          const table = { family: tableFamily(family), name: tableName }
          const sink = new BatchSink(batch, table, filterSetsByName(table.family))
          difference.elements(family, sink)
          operations += sink.operations
        }
        return operations
      },
      addedAddresses: addresses.flatMap(({ after }) => after ?? []),
      removedAddresses: addresses.flatMap(({ before, after }) =>
        before === undefined || after !== undefined ? [] : [before],
      ),
    })
  }

  async compare(plan: Plan): Promise<readonly Difference[]> {
    return describeDifference(this.#compare(plan))
  }

  async trace(flow: Flow, localAddresses: readonly string[]): Promise<TracedVerdict> {
    return traceFlow(this.#readKernel(), flow, localAddresses)
  }

  async counters(): Promise<readonly FrontendCounters[]> {
    return frontendCounters(this.#ipvs.listServers(), readOwnState(this.#nftables, this.#addresses))
  }

  watchDrift(onDrift: (what: string) => void, signal: AbortSignal): void {
    watchForeignChanges(
      {
        tableName,
        portId: this.#nftables.portId,
        serviceInterface: () => this.#addresses.interfaceIndex,
        isServiceAddress: (address) => this.#program?.hasAddress(address) ?? false,
        isOwnAddress: (address) => this.#ownAddresses.includes(address),
      },
      onDrift,
      signal,
    )
  }

  async drain(signal: AbortSignal): Promise<void> {
    const state = this.#readKernel()
    const batch = this.#nftables.newBatch()
    // Rules are about new flows, and those are the other mechanism's now.
    for (const family of state.filters.keys()) {
      for (const hook of hookNames) batch.flushChain(tableFamily(family), tableName, hook)
    }
    this.#nftables.commit(batch)
    const servers = this.#ownServers(state)
    await awaitIdle(this.#ipvs, servers, this.#options.clock, longestDrainMs, signal)
  }

  async cleanup(): Promise<SyncReport> {
    const state = this.#readKernel()
    const closing = this.#ownServers(state).map(
      (key): IpvsOperation => ({ kind: 'delete-server', key }),
    )
    this.#draining.close()
    this.#present.clear()
    this.#program = undefined
    const sent = this.#ipvs.apply(closing)
    const removed = this.#addresses.removeAll(state.addresses)
    const batch = this.#nftables.newBatch()
    for (const family of state.filters.keys()) batch.deleteTable(tableFamily(family), tableName)
    const { bytes } = this.#nftables.commit(batch)
    return {
      transactions: Math.sign(closing.length) + Math.sign(bytes) + removed,
      operations: closing.length + state.filters.size + removed,
      bytes: sent.bytes + bytes,
    }
  }

  close(): void {
    this.#draining.close()
    this.#ipvs.close()
    this.#nftables.close()
    this.#route.close()
  }

  #ownServers(state: KernelState): VirtualServerKey[] {
    return [...state.servers.values()]
      .map(({ server }) => server.key)
      .filter((key) => isOurServer(key, state) && !this.#isExcluded(key))
  }

  #readKernel(): KernelState {
    return readKernel(this.#ipvs, this.#nftables, this.#addresses)
  }

  /** Compiles the plan anew and compares all of it with the kernel. */
  #compare(plan: Plan): KernelDifference {
    const state = this.#readKernel()
    if (this.#plan?.node.masqueradeMark !== plan.node.masqueradeMark) this.#marks = undefined
    const marks = this.#marks ?? new ShortCutMarks(plan.node.masqueradeMark)
    const own = this.#addresses.ownAddresses(state.addresses)
    const { nodePortAddresses: asked } = plan.node
    const nodePortAddresses = asked === 'any-local' ? own : asked
    adoptMarks(state, plan.services.values(), nodePortAddresses, marks)
    const program = new IpvsProgram({
      scheduler: this.#options.scheduler || 'rr',
      nodePortAddresses,
      ownAddresses: new Set(own),
      marks,
    })
    program.update([...plan.services.values()].map((after) => ({ before: undefined, after })))
    this.#plan = plan
    this.#marks = marks
    this.#ownAddresses = own
    this.#program = program
    this.#services = new Map(plan.services)
    return this.#differenceFrom(state, plan, program)
  }

  #differenceFrom(state: KernelState, plan: Plan, program: IpvsProgram): KernelDifference {
    const servers = new Map<string, ServerDifference>()
    this.#present.clear()
    for (const [name, present] of state.servers) {
      const { key } = present.server
      const wanted = program.server(name)
      const isOurs = isOurServer(key, state) && !this.#isExcluded(key)
      if (wanted === undefined && !isOurs) continue
      this.#present.set(name, present)
      servers.set(name, diffServer(present, wanted, isServedBy(program, key)))
    }
    for (const [name, wanted] of program.servers()) {
      if (!state.servers.has(name)) servers.set(name, diffServer(undefined, wanted, true))
    }
    const wantedFamilies = plan.node.families
    return {
      servers,
      filters: wantedFamilies.map((family) =>
        compareWholeTable(
          state.filters.get(family),
          filterTable(family, plan.node),
          program.elements(family),
        ),
      ),
      unwantedTables: families.filter(
        (family) => state.filters.has(family) && !wantedFamilies.includes(family),
      ),
      addedAddresses: program.addresses().filter((address) => !state.addresses.has(address)),
      removedAddresses: [...state.addresses].filter((address) => !program.hasAddress(address)),
    }
  }

  #write(difference: KernelDifference): SyncReport {
    const { filters, unwantedTables } = difference
    return this.#writeAll({
      ...difference,
      writeFilters: (batch) => {
        for (const family of unwantedTables) batch.deleteTable(tableFamily(family), tableName)
        return filters.reduce(
          (sum, each) => sum + writeTableDifference(each, batch),
          unwantedTables.length,
        )
      },
    })
  }

  /** Nothing that is not ready is ever led to: first virtual servers and destinations, then rules, then
   *  addresses; and what goes, goes the other way round. */
  #writeAll(changes: {
    readonly servers: ReadonlyMap<string, ServerDifference>
    readonly writeFilters: (batch: ReturnType<NftablesConnection['newBatch']>) => number
    readonly addedAddresses: readonly string[]
    readonly removedAddresses: readonly string[]
  }): SyncReport {
    const { servers, addedAddresses, removedAddresses } = changes
    const opening = [...servers.values()].flatMap((each) => each.opening)
    const closing = [...servers.values()].flatMap((each) => each.closing)
    const batch = this.#nftables.newBatch()
    const elements = changes.writeFilters(batch)
    const addressCount = addedAddresses.length + removedAddresses.length
    // Where nothing stands between the two, they are one request.
    const isOne = batch.isEmpty && addressCount === 0
    const opened = this.#ipvs.apply(isOne ? [...opening, ...closing] : opening)
    const { bytes } = this.#nftables.commit(batch)
    for (const address of addedAddresses) this.#addresses.add(address)
    for (const address of removedAddresses) this.#addresses.remove(address)
    const closed = this.#ipvs.apply(isOne ? [] : closing)
    for (const [name, { present }] of servers) this.#note(name, present)
    const sends = [opened.requests, closed.requests, bytes].filter((count) => count > 0).length
    return {
      transactions: sends + addressCount,
      operations: opening.length + closing.length + elements + addressCount,
      bytes: opened.bytes + closed.bytes + bytes,
    }
  }

  #note(name: string, present: PresentServer | undefined): void {
    if (present === undefined) this.#present.delete(name)
    else this.#present.set(name, present)
    this.#draining.note(name, present)
  }

  /** A virtual server that only waits for its connections goes with its frontend. */
  #endLingering(program: IpvsProgram, name: string, servers: Map<string, ServerDifference>): void {
    const present = this.#present.get(name)
    if (present === undefined || servers.has(name) || program.server(name) !== undefined) return
    if (isServedBy(program, present.server.key)) return
    servers.set(name, diffServer(present, undefined, false))
  }

  #removeDrained(): void {
    for (const name of this.#draining.servers()) {
      const present = this.#present.get(name)
      if (present === undefined) continue
      const operations = [...this.#draining.finished(name, present)]
      if (operations.length === 0) continue
      const left = new Map(present.destinations)
      for (const operation of operations) {
        if (operation.kind === 'delete-destination')
          left.delete(formatDestination(operation.destination))
      }
      const isOver = left.size === 0 && this.#program?.server(name) === undefined
      if (isOver) operations.push({ kind: 'delete-server', key: present.server.key })
      this.#ipvs.apply(operations)
      this.#note(name, isOver ? undefined : { ...present, destinations: left })
    }
  }

  #isExcluded(key: VirtualServerKey): boolean {
    return (
      key.kind === 'address' &&
      this.#options.excludeCidrs.some((prefix) => prefixContains(prefix, key.address))
    )
  }

  /** Returns how many values were set. */
  #setTimeouts(): number {
    const { timeouts } = this.#options
    const present = this.#ipvs.timeouts()
    const names = ['tcp', 'tcpFin', 'udp'] as const
    if (names.every((name) => timeouts[name] === 0 || timeouts[name] === present[name])) return 0
    this.#ipvs.setTimeouts(timeouts)
    return 1
  }
}

function openConnection(): IpvsConnection {
  try {
    return IpvsConnection.open()
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errnoName !== 'ENOENT') throw error
    throw new Error(
      'this kernel has no IPVS: its module ip_vs is missing or cannot be loaded (modprobe ip_vs); ' +
        'the modes nftables and iptables need no such module',
      { cause: error },
    )
  }
}

function tableFamily(family: Family): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6'
}

function isServedBy(program: IpvsProgram, key: VirtualServerKey): boolean {
  if (key.kind === 'mark') return false
  const element = frontendKey(key.address, key.protocol, key.port)
  return program.hasElement(key.family, 'frontends', element)
}
