import type { Family } from '../../net/address.ts'
import type { Flow } from '../../net/flow.ts'
import type { WholeTable } from '../../ruleset/whole-table.ts'
import { tableView } from '../filter/table-view.ts'
import type { ServicePlan, SourceClass } from '../plan/plan.ts'
import type { Plan } from '../port/mechanism.ts'
import { formatBackend, type TracedVerdict } from '../port/verdict.ts'
import { RelayTable } from '../relay/relay-table.ts'
import { whyNotRelayed } from '../relay/why-not-relayed.ts'
import { indexProgram, type ProgramIndex } from '../simulate/machine-thread.ts'
import { programVerdict } from '../simulate/program-verdict.ts'
import { relayChain, relayTable, returningChainName } from './table-rules.ts'
import { sourceClasses } from './table-sets.ts'
import { UserspaceProgram } from './userspace-program.ts'

/** What a flow meets: our tables, then the relay that they lead it to. */
export interface TracedState {
  readonly index: ProgramIndex
  readonly table: RelayTable
  /** Families in which endpoints see clients where the plan keeps them. */
  readonly keepsClients: ReadonlySet<Family>
}

/** The state of tables and the services that the relays know. */
export function tracedState(
  tables: readonly WholeTable[],
  services: Iterable<ServicePlan>,
): TracedState {
  const table = new RelayTable()
  table.update([...services].map((after) => ({ before: undefined, after })))
  const keeping = tables.filter(({ structure }) =>
    structure.chains.some(({ chain }) => chain.name === returningChainName),
  )
  const keepsClients = new Set(
    keeping.map(({ structure }): Family => (structure.table.family === 'ip' ? 4 : 6)),
  )
  return { index: indexProgram({ tables: tables.map(tableView) }), table, keepsClients }
}

/** The state once a plan is written, for a node whose relays listen on loopback. */
export function compiledState({ node, services }: Plan): TracedState {
  const program = new UserspaceProgram()
  program.update([...services.values()].map((after) => ({ before: undefined, after })))
  const ports = (first: number) => ({ pod: first, node: first + 1, outside: first + 2 })
  const tables = node.families.map((family: Family): WholeTable => {
    const address = family === 4 ? '127.0.0.1' : '::1'
    const relays = { address, ports: { TCP: ports(1), UDP: ports(4) }, keepsClients: false }
    return {
      structure: relayTable(family, node, relays),
      elements: program.elements(family, node, relays),
    }
  })
  return tracedState(tables, services.values())
}

/** What becomes of a flow: its first packet runs through our chains; when they lead it to a relay, its table is
 *  asked for the pool. What is relayed comes from the node, unless clients are kept. Throws a MachineError when the rules cannot be
 *  followed. */
export function traceFlow(
  { index, table, keepsClients }: TracedState,
  flow: Flow,
  localAddresses: readonly string[],
): TracedVerdict {
  const traced = programVerdict(index, flow, localAddresses)
  const { verdict, path } = traced
  const { family, protocol, destination: address, destinationPort: port } = flow
  if (verdict.kind === 'reject') {
    const frontend = table.asked({ family, protocol, address, port })
    const limit = frontend && whyNotRelayed(frontend)
    return limit === undefined ? traced : { ...traced, limit }
  }
  if (verdict.kind !== 'balance') return traced
  const source = classOf(path)
  const target =
    source === undefined ? undefined : table.find({ source, family, protocol, address, port })
  if (target === undefined) {
    return { verdict: { kind: 'drop' }, path: [...path, 'the relay knows no such frontend'] }
  }
  const { pool, keepsClient = false } = target
  const isKept = keepsClient && keepsClients.has(family)
  const backends = new Map(
    pool.backends.map(({ address: endpoint, port: endpointPort }) => [
      formatBackend(endpoint, endpointPort),
      !isKept || endpoint === flow.source,
    ]),
  )
  return {
    verdict: { kind: 'balance', backends, affinitySeconds: pool.affinitySeconds },
    path: [...path, `relay for ${source}: pool ${pool.key}`],
  }
}

/** Which relay a flow was led to. */
function classOf(path: readonly string[]): SourceClass | undefined {
  return sourceClasses.find((source) => path.includes(`chain ${relayChain(source)}`))
}
