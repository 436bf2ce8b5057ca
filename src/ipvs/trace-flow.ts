import type { Flow } from '../net/flow.ts'
import { tableView } from '../proxy/filter/table-view.ts'
import type { TracedVerdict, Verdict } from '../proxy/port/verdict.ts'
import { formatBackend } from '../proxy/port/verdict.ts'
import { type ChainEnd, runChain } from '../proxy/simulate/machine-chain.ts'
import { packetOf } from '../proxy/simulate/machine-packet.ts'
import { indexProgram, type Thread, trailEntries } from '../proxy/simulate/machine-thread.ts'
import { addressKey, frontendKey } from '../ruleset/element-keys.ts'
import type { WholeTable } from '../ruleset/whole-table.ts'
import { serviceFlags } from './ipvs-tables.ts'
import type { KernelState } from './kernel-state.ts'
import type { PresentServer } from './server-difference.ts'
import { formatServerKey, type VirtualServerKey } from './virtual-server.ts'

/** Expressions of one packet at most; far more than our chains have. */
const expressionLimit = 100_000

/** What the kernel's present state does with a flow: its first packet runs through our rules of the hook where
 *  IPVS would take it, then the virtual server of its mark or destination is asked. Pure. Throws a
 *  MachineError when the rules cannot be followed. */
export function traceFlow(
  state: KernelState,
  flow: Flow,
  localAddresses: readonly string[],
): TracedVerdict {
  const filter = state.filters.get(flow.family)
  const untouched: Verdict = { kind: 'untouched' }
  if (filter === undefined) return { verdict: untouched, path: ['no table of ours'] }
  const { end, thread } = passHook(filter, flow, localAddresses)
  const path = trailEntries(thread.trail)
  if (end.kind === 'drop' || end.kind === 'reject') return { verdict: { kind: end.kind }, path }
  const { family, protocol, destination: address, destinationPort: port } = flow
  const { elements } = filter
  const isFrontend = elements.get('frontends')?.has(frontendKey(address, protocol, port)) ?? false
  if (!isFrontend) return { verdict: untouched, path: [...path, 'no frontend'] }
  const marked: VirtualServerKey = { kind: 'mark', family, mark: thread.mark }
  const plain: VirtualServerKey = { kind: 'address', family, protocol, address, port }
  const key = state.servers.has(formatServerKey(marked)) ? marked : plain
  const step = `virtual server ${formatServerKey(key)}`
  const server = state.servers.get(formatServerKey(key))
  if (server === undefined) return { verdict: untouched, path: [...path, `${step}: not there`] }
  const isMasqueraded = (thread.mark & masqueradeMark(filter)) !== 0
  const verdict = balance(server, (backend, backendPort) => {
    const hairpin = addressKey(flow.source) + frontendKey(backend, protocol, backendPort)
    return isMasqueraded || (elements.get('hairpin')?.has(hairpin) ?? false)
  })
  return { verdict, path: [...path, step] }
}

function passHook(
  filter: WholeTable,
  flow: Flow,
  localAddresses: readonly string[],
): { readonly end: ChainEnd; readonly thread: Thread } {
  const view = tableView(filter)
  const isLocal =
    localAddresses.includes(flow.destination) ||
    (filter.elements.get('service-addresses')?.has(addressKey(flow.destination)) ?? false)
  const name = flow.origin === 'local' ? 'output' : isLocal ? 'input' : 'forward'
  const chain = view.chains.find(({ hook }) => hook?.hook === name)
  const [table] = indexProgram({ tables: [view] }).indexes
  const start: Thread = { mark: 0, timeoutMs: 0, writes: new Map(), trail: undefined }
  let found: { readonly end: ChainEnd; readonly thread: Thread } = {
    end: { kind: 'accept' },
    thread: start,
  }
  if (table === undefined || chain?.hook === undefined) return found
  const scene = {
    table,
    hook: chain.hook,
    packet: packetOf(flow),
    isRedirected: false,
    localAddresses: new Set(localAddresses),
    dynamicElements: 'given',
    budget: { remaining: expressionLimit },
  } as const
  // Nothing in these chains is left to chance: there is one end.
  runChain(scene, chain.name, start, (end, thread) => {
    found = { end, thread }
  })
  return found
}

/** The bit that the chain for it sets: the only one that its rule turns on. */
function masqueradeMark({ structure }: WholeTable): number {
  const chain = structure.chains.find((filled) => filled.chain.name === 'mark-masquerade')
  for (const expression of chain?.rules.flatMap(({ expressions }) => expressions) ?? []) {
    const bytes = expression.name === 'bitwise' ? expression.data.xor?.value : undefined
    if (bytes !== undefined) return Buffer.from(bytes).readUInt32LE(0)
  }
  return 0
}

function balance(
  { server, destinations }: PresentServer,
  isMasqueraded: (address: string, port: number) => boolean,
): Verdict {
  const backends = new Map<string, boolean>()
  for (const { address, port, weight } of destinations.values()) {
    if (weight > 0) backends.set(formatBackend(address, port), isMasqueraded(address, port))
  }
  if (backends.size === 0) return { kind: 'drop' }
  const isSticky = (server.flags & serviceFlags.persistent) !== 0
  return { kind: 'balance', backends, affinitySeconds: isSticky ? server.timeoutSeconds : 0 }
}
