import type { Family } from '../net/address.ts'
import type { SetElement } from '../netlink/nftables/objects.ts'
import {
  type Action,
  type Frontend,
  frontendKey as frontendName,
  type Pool,
  type ServicePlan,
  type SourceClass,
} from '../proxy/plan/plan.ts'
import {
  addressKey,
  frontendKey,
  hostWordString,
  sourceRangeElements,
} from '../ruleset/element-keys.ts'
import { hairpinKey } from './hairpin-key.ts'
import { serviceFlags } from './ipvs-tables.ts'
import type { ShortCutMarks } from './short-cut-marks.ts'
import {
  type Destination,
  formatDestination,
  type VirtualServer,
  type VirtualServerKey,
} from './virtual-server.ts'

/** A virtual server with its destinations. */
export interface ServerProgram {
  readonly server: VirtualServer
  /** By `formatDestination`. */
  readonly destinations: ReadonlyMap<string, Destination>
  /** Connections to a destination that leaves may end by themselves; only TCP tells when they have. */
  readonly drains: boolean
}

/** What compiling depends on besides the service. */
export interface CompileContext {
  readonly scheduler: string
  /** Addresses on which node ports answer, of both families. */
  readonly nodePortAddresses: readonly string[]
  /** The node's own addresses: services may have one of them, and it is then not ours to add. */
  readonly ownAddresses: ReadonlySet<string>
  readonly marks: ShortCutMarks
}

/** Takes what a service asks for. The same thing may come twice. */
export interface ServiceVisitor {
  server(program: ServerProgram): void
  element(family: Family, set: string, element: SetElement): void
  /** An address that must be local to the node. */
  address(address: string): void
}

/** All source classes. */
export const sourceClasses: readonly SourceClass[] = ['pod', 'node', 'outside']

/** Compiles one service. */
export function compileService(
  plan: ServicePlan,
  context: CompileContext,
  visitor: ServiceVisitor,
): void {
  for (const frontend of plan.frontends) {
    for (const address of addressesOf(frontend, context)) {
      visitFrontend(frontend, address, context, visitor)
    }
    visitShortCutServers(frontend, context, visitor)
  }
  for (const { family, protocol, backends } of plan.pools) {
    for (const { address, port, isLocal } of backends) {
      if (isLocal) visitor.element(family, 'hairpin', { key: hairpinKey(address, protocol, port) })
    }
  }
}

/** The pool that the virtual server for the address has: that of flows from outside, or where they get none
 *  and the others do, nothing: the others then come with a mark. */
function addressPool({ actions }: Frontend): Pool | undefined {
  return actions.outside.kind === 'balance' ? actions.outside.pool : undefined
}

/** Whether a class must be led past the virtual server for the address. */
function isShortCut(frontend: Frontend, action: Action): boolean {
  return action.kind === 'balance' && action.pool.key !== addressPool(frontend)?.key
}

function addressesOf(frontend: Frontend, context: CompileContext): readonly string[] {
  if (frontend.address !== undefined) return [frontend.address]
  return context.nodePortAddresses.filter(
    (address) => address.includes(':') === (frontend.family === 6),
  )
}

function visitFrontend(
  frontend: Frontend,
  address: string,
  context: CompileContext,
  visitor: ServiceVisitor,
): void {
  const { family, protocol, port, actions, sourceRanges } = frontend
  const pool = addressPool(frontend)
  if (pool !== undefined) {
    const key: VirtualServerKey = { kind: 'address', family, protocol, address, port }
    visitor.server(serverProgram(key, pool, context.scheduler))
  }
  const key = frontendKey(address, protocol, port)
  const comment =
    frontend.portName === '' ? frontend.service : `${frontend.service}:${frontend.portName}`
  const put = (set: string, rest: Partial<SetElement> = {}): void =>
    visitor.element(family, set, { key, comment, ...rest })
  put('frontends')
  for (const source of sourceClasses) {
    const action = actions[source]
    if (action.kind === 'reject') put(`refuse-${source}`)
    else if (action.kind === 'drop') put(`discard-${source}`)
    else if (isShortCut(frontend, action)) {
      const mark = context.marks.markOf(frontendName(frontend), isMasqueraded(action))
      put(`short-cuts-${source}`, { value: hostWordString(mark) })
    } else if (isMasqueraded(action)) put(`masquerade-${source}`)
  }
  if (sourceRanges !== undefined && frontend.address !== undefined) {
    put('restricted')
    for (const element of sourceRangeElements(key, sourceRanges, comment)) {
      visitor.element(family, 'source-ranges', element)
    }
  }
  if (frontend.address !== undefined && !context.ownAddresses.has(address)) {
    visitor.element(family, 'service-addresses', { key: addressKey(address) })
    visitor.address(address)
  }
}

function visitShortCutServers(
  frontend: Frontend,
  { marks, scheduler }: CompileContext,
  visitor: ServiceVisitor,
): void {
  const { family, actions } = frontend
  const pools = new Map<number, Pool>()
  for (const source of sourceClasses) {
    const action = actions[source]
    if (action.kind !== 'balance' || !isShortCut(frontend, action)) continue
    const mark = marks.markOf(frontendName(frontend), isMasqueraded(action))
    if (pools.has(mark) && pools.get(mark)?.key !== action.pool.key) {
      const name = frontendName(frontend)
      throw new Error(`frontend ${name}: pods and the node must be sent to the same pool`)
    }
    pools.set(mark, action.pool)
  }
  for (const [mark, pool] of pools) {
    visitor.server(serverProgram({ kind: 'mark', family, mark }, pool, scheduler))
  }
}

function isMasqueraded(action: Action): boolean {
  return action.kind === 'balance' && action.masquerade === 'always'
}

function serverProgram(key: VirtualServerKey, pool: Pool, scheduler: string): ServerProgram {
  const destinations = new Map<string, Destination>()
  for (const { address, port } of pool.backends) {
    const destination = { address, port, weight: 1 }
    destinations.set(formatDestination(destination), destination)
  }
  const isSticky = pool.affinitySeconds > 0
  // The original sets this flag for Maglev hashing, so that not all flows of a client go one way.
  const byPort = scheduler === 'mh' ? serviceFlags.scheduler2 : 0
  return {
    server: {
      key,
      scheduler,
      flags: byPort | (isSticky ? serviceFlags.persistent : 0),
      timeoutSeconds: pool.affinitySeconds,
    },
    destinations,
    drains: pool.protocol === 'TCP',
  }
}
