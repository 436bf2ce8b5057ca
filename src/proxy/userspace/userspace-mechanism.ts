import type { Family } from '../../net/address.ts'
import type { Flow } from '../../net/flow.ts'
import { ConntrackConnection } from '../../netlink/conntrack.ts'
import type { NftablesConnection } from '../../netlink/nftables/connection.ts'
import { watchNftables } from '../../netlink/nftables/watch-nftables.ts'
import { RouteConnection } from '../../netlink/route.ts'
import { watchRoute } from '../../netlink/watch-route.ts'
import type { EngineName } from '../../reactor/reactor.ts'
import { BatchSink } from '../../ruleset/batch-sink.ts'
import { openForTables } from '../../ruleset/open-for-tables.ts'
import {
  compareWholeTable,
  describeTableDifference,
  readWholeTable,
  type TableDifference,
  writeTableDifference,
} from '../../ruleset/whole-table.ts'
import { frontendKey, type PlanChange, type ServicePlan } from '../plan/plan.ts'
import type { Difference, Mechanism, Plan, SyncReport } from '../port/mechanism.ts'
import type { TracedVerdict } from '../port/verdict.ts'
import type { RelayOptions } from '../relay/relay-options.ts'
import { whyNotRelayed } from '../relay/why-not-relayed.ts'
import { NodeRelays } from './node-relays.ts'
import { relayAddress } from './relay-address.ts'
import { closeReturnPath, openReturnPath } from './return-path.ts'
import { relayTable, returningTable, tableName } from './table-rules.ts'
import { tableSetsByName } from './table-sets.ts'
import { tracedState, traceFlow } from './trace-flow.ts'
import { UserspaceProgram } from './userspace-program.ts'

/** What this mode can be told. */
export interface UserspaceOptions {
  readonly relay: RelayOptions
  /** Undefined: the best engine that works here. */
  readonly engine?: EngineName
  /** Takes sentences about what cannot be served. */
  readonly warn: (text: string) => void
  /** Takes a sentence about the engine that was taken. */
  readonly inform: (text: string) => void
}

/** Opens the mechanism on the network namespace of the process. Throws an error that says what is missing; writes
 *  nothing and listens nowhere yet. */
export function openUserspaceMechanism(options: UserspaceOptions): UserspaceMechanism {
  return new UserspaceMechanism(options, openForTables())
}

/** Services as relays in this process. The tables `ip portolan-userspace` and `ip6 portolan-userspace` lead
 *  their flows there, and refuse what gets no endpoint. */
export class UserspaceMechanism implements Mechanism {
  readonly name = 'userspace'
  readonly #options: UserspaceOptions
  readonly #nftables: NftablesConnection
  readonly #route = RouteConnection.open()
  readonly #conntrack = ConntrackConnection.open()
  /** Undefined until something is served: a process that only looks has none. */
  #relays: NodeRelays | undefined
  #program: UserspaceProgram | undefined
  #plan: Plan | undefined
  /** What is compiled, by service. */
  #services = new Map<string, ServicePlan>()
  #warned = new Set<string>()
  #isCleanedUp = false

  constructor(options: UserspaceOptions, nftables: NftablesConnection) {
    this.#options = options
    this.#nftables = nftables
  }

  /** The engine that moves the bytes, for logs. */
  get way(): string {
    return this.#relays?.reactor.reason ?? 'relays'
  }

  async synchronize(plan: Plan): Promise<SyncReport> {
    this.#isCleanedUp = false
    const relays = this.#openRelays()
    const addresses = this.#ownAddresses()
    this.#setReturnPaths(plan.node.families)
    for (const family of families) {
      if (!plan.node.families.includes(family)) relays.ignore(family)
      else await relays.listen(family, relayAddress(family, plan.node, addresses))
    }
    const program = compileAll(plan)
    const differences = this.#differences(plan, program)
    relays.update(changesBetween(this.#services, plan.services))
    this.#plan = plan
    this.#program = program
    this.#services = new Map(plan.services)
    for (const after of plan.services.values()) this.#warnAbout(after)
    const batch = this.#nftables.newBatch()
    let operations = 0
    for (const each of differences) operations += writeTableDifference(each, batch)
    for (const family of this.#unwantedTables(plan)) {
      batch.deleteTable(tableFamily(family), tableName)
      operations++
    }
    return this.#commit(batch, operations)
  }

  async update(changes: readonly PlanChange[]): Promise<SyncReport> {
    const [program, plan, relays] = [this.#program, this.#plan, this.#relays]
    if (program === undefined || plan === undefined || relays === undefined) {
      throw new Error('userspace: update before the first synchronize')
    }
    const known = changes.map(({ service, after }) => {
      return { service, before: this.#services.get(service), after }
    })
    for (const { service, after } of known) {
      if (after === undefined) this.#services.delete(service)
      else this.#services.set(service, after)
      if (after !== undefined) this.#warnAbout(after)
    }
    const write = program.update(known)
    relays.update(known)
    if (write === undefined) return { transactions: 0, operations: 0, bytes: 0 }
    const batch = this.#nftables.newBatch()
    let operations = 0
    for (const family of plan.node.families) {
      const table = { family: tableFamily(family), name: tableName }
      const sink = new BatchSink(batch, table, tableSetsByName(table.family))
      write(family, sink)
      operations += sink.operations
    }
    return this.#commit(batch, operations)
  }

  async compare(plan: Plan): Promise<readonly Difference[]> {
    return [
      ...this.#differences(plan, compileAll(plan)).flatMap(describeTableDifference),
      ...this.#unwantedTables(plan).map((family): Difference => {
        return { kind: 'unexpected', object: `table ${tableFamily(family)} ${tableName}` }
      }),
    ]
  }

  async trace(
    flow: Flow,
    localAddresses: readonly string[],
    plan: Plan | undefined = this.#plan,
  ): Promise<TracedVerdict> {
    if (plan === undefined) throw new Error('userspace: only the relays know the endpoints')
    const tables = families.flatMap(
      (family) => readWholeTable(this.#nftables, tableFamily(family), tableName) ?? [],
    )
    return traceFlow(tracedState(tables, plan.services.values()), flow, localAddresses)
  }

  watchDrift(onDrift: (what: string) => void, signal: AbortSignal): void {
    const lost = 'notifications of the kernel were lost'
    watchNftables(
      (change) => {
        if (change.type === 'overrun') onDrift(lost)
        else if (change.table === tableName) {
          onDrift(`${change.type} in table ${change.family} ${change.table}`)
        }
      },
      signal,
      this.#nftables.portId,
    )
    watchRoute((change) => {
      if (change.type === 'overrun') onDrift(lost)
      else if (change.type === 'address' && this.#isMisplaced()) {
        onDrift(`address ${change.address.address}: relays must listen elsewhere`)
      }
    }, signal)
  }

  async drain(signal: AbortSignal): Promise<void> {
    if (this.#options.relay.source === 'client') this.#leaveReturning()
    else await this.cleanup()
    await this.#relays?.drained(signal)
  }

  async cleanup(): Promise<SyncReport> {
    const batch = this.#nftables.newBatch()
    const present = families.filter((family) => this.#hasTable(family))
    for (const family of present) batch.deleteTable(tableFamily(family), tableName)
    this.#isCleanedUp = true
    for (const family of families) closeReturnPath(this.#route, family)
    return this.#commit(batch, present.length)
  }

  /** Ends all relays. Without `cleanup` before it, this process ends: new flows wait for the next one, by rules
   *  that drop their first packets. */
  close(): void {
    if (this.#relays !== undefined && !this.#isCleanedUp) this.#leaveWaiting()
    this.#relays?.close()
    this.#nftables.close()
    this.#route.close()
    this.#conntrack.close()
  }

  #openRelays(): NodeRelays {
    if (this.#relays !== undefined) return this.#relays
    const { relay, engine, inform } = this.#options
    const relays = new NodeRelays({
      relay,
      conntrack: this.#conntrack,
      ...(engine === undefined ? {} : { engine }),
    })
    if (relay.source === 'client' && relays.reactor.engine === 'portable') {
      relays.close()
      throw new Error(noTransparency)
    }
    inform(`bytes are moved by ${relays.reactor.reason}`)
    this.#relays = relays
    return relays
  }

  /** What an earlier run with other options has left goes as well. */
  #setReturnPaths(wanted: readonly Family[]): void {
    const keepsClients = this.#options.relay.source === 'client'
    for (const family of families) {
      if (keepsClients && wanted.includes(family)) openReturnPath(this.#route, family)
      else closeReturnPath(this.#route, family)
    }
  }

  #leaveReturning(): void {
    const batch = this.#nftables.newBatch()
    for (const family of families) {
      const kernel = readWholeTable(this.#nftables, tableFamily(family), tableName)
      if (kernel === undefined) continue
      writeTableDifference(compareWholeTable(kernel, returningTable(family), new Map()), batch)
    }
    this.#isCleanedUp = true
    this.#nftables.commit(batch)
  }

  #leaveWaiting(): void {
    const plan = this.#plan
    const program = this.#program
    if (plan === undefined || program === undefined) return
    const batch = this.#nftables.newBatch()
    for (const family of plan.node.families) {
      const kernel = readWholeTable(this.#nftables, tableFamily(family), tableName)
      // Somebody else has removed it: nothing to leave.
      if (kernel === undefined) continue
      const wanted = relayTable(family, plan.node, undefined)
      const elements = program.elements(family, plan.node, undefined)
      writeTableDifference(compareWholeTable(kernel, wanted, elements), batch)
    }
    this.#nftables.commit(batch)
  }

  /** Compares all of a compiled plan with the kernel. */
  #differences(plan: Plan, program: UserspaceProgram): readonly TableDifference[] {
    return plan.node.families.map((family) => {
      const table = tableFamily(family)
      const kernel = readWholeTable(this.#nftables, table, tableName)
      const relays = this.#relays?.ports(family)
      return compareWholeTable(
        kernel,
        relayTable(family, plan.node, relays),
        program.elements(family, plan.node, relays),
      )
    })
  }

  #warnAbout({ frontends }: ServicePlan): void {
    for (const frontend of frontends) {
      const reason = whyNotRelayed(frontend)
      const key = frontendKey(frontend)
      if (reason === undefined || this.#warned.has(key)) continue
      this.#warned.add(key)
      this.#options.warn(`${frontend.service}: ${key} is refused: ${reason}`)
    }
  }

  #ownAddresses(): ReturnType<RouteConnection['listAddresses']> {
    const services = this.#route.listLinks().find(({ name }) => name === ipvsInterface)?.index
    return this.#route.listAddresses().filter(({ interfaceIndex }) => interfaceIndex !== services)
  }

  /** Whether relays listen where they would not when opened now. */
  #isMisplaced(): boolean {
    const plan = this.#plan
    const addresses = this.#ownAddresses()
    return (plan?.node.families ?? []).some((family) => {
      const ports = this.#relays?.ports(family)
      return (
        plan !== undefined &&
        ports !== undefined &&
        ports.address !== relayAddress(family, plan.node, addresses)
      )
    })
  }

  #hasTable(family: Family): boolean {
    return this.#nftables
      .listTables()
      .some((table) => table.name === tableName && table.family === tableFamily(family))
  }

  #unwantedTables(plan: Plan): readonly Family[] {
    return families.filter(
      (family) => !plan.node.families.includes(family) && this.#hasTable(family),
    )
  }

  #commit(batch: ReturnType<NftablesConnection['newBatch']>, operations: number): SyncReport {
    const { bytes } = this.#nftables.commit(batch)
    return { transactions: Math.sign(bytes), operations, bytes }
  }
}

const families: readonly Family[] = [4, 6]

const noTransparency =
  '--userspace-source client: needs the engine uring or epoll, Node has no transparent sockets; ' +
  'leave it out, or let the FFI package load'

/** Has the addresses of services in ipvs mode, which may still be there during a change of mode. */
const ipvsInterface = 'kube-ipvs0'

function tableFamily(family: Family): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6'
}

function compileAll(plan: Plan): UserspaceProgram {
  const program = new UserspaceProgram()
  program.update([...plan.services.values()].map((after) => ({ before: undefined, after })))
  return program
}

function changesBetween(
  before: ReadonlyMap<string, ServicePlan>,
  after: ReadonlyMap<string, ServicePlan>,
): PlanChange[] {
  const services = new Set([...before.keys(), ...after.keys()])
  return [...services].flatMap((service) => {
    const change = { service, before: before.get(service), after: after.get(service) }
    return change.before === change.after ? [] : [change]
  })
}
