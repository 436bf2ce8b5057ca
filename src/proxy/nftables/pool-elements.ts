import type { ByteString } from '../../net/byte-string.ts'
import type { SetElement } from '../../netlink/nftables/objects.ts'
import { hostWordString } from '../../ruleset/element-keys.ts'
import type { ElementSink } from '../../ruleset/element-sink.ts'
import type { Pool } from '../plan/plan.ts'
import { kindOf } from './kinds.ts'
import { assignSlots } from './pool-slots.ts'
import { largestPool, tierLog2 } from './tiers.ts'
import { backendValue, endpointNumber, poolKey } from './wire-keys.ts'

/** What the table holds for one pool, as compiled or as read from the kernel (where anything can be
 *  missing). A pool without affinity has `slots`, one with affinity `stickySlots` and `endpoints`. */
export interface PoolElements {
  readonly number: number
  readonly kind: number | undefined
  /** Comment of the `pools` element: the pool's key in the plan. */
  readonly comment: string | undefined
  /** Backend of each slot, as in the data of `slots`. */
  readonly slots: readonly (ByteString | undefined)[]
  /** Endpoint number of each slot. */
  readonly stickySlots: readonly (number | undefined)[]
  readonly endpoints: ReadonlyMap<number, ByteString>
}

const noEndpoints: ReadonlyMap<number, ByteString> = new Map()

/** Compiles a pool. Slots and endpoint numbers of `previous` are kept as far as they can be. */
export function compilePool(
  pool: Pool,
  number: number,
  previous: PoolElements | undefined,
): PoolElements {
  const wanted = pool.backends
    .slice(0, largestPool)
    .map((backend) => backendValue(backend.address, backend.port))
  const slots = assignSlots(previous === undefined ? [] : backendsOf(previous), wanted)
  const kind = kindOf(tierLog2(slots.length), pool.affinitySeconds)
  if (pool.affinitySeconds === 0) {
    return { number, kind, comment: pool.key, slots, stickySlots: [], endpoints: noEndpoints }
  }
  const endpoints = numberEndpoints(slots, previous?.endpoints ?? noEndpoints)
  const numbers = new Map([...endpoints].map(([endpoint, backend]) => [backend, endpoint]))
  const stickySlots = slots.map((backend) => numbers.get(backend))
  return { number, kind, comment: pool.key, slots: [], stickySlots, endpoints }
}

/** Whether the pool has affinity, by its elements. */
export function isSticky(pool: PoolElements): boolean {
  return pool.stickySlots.length > 0
}

/** Writes what makes a pool of the table equal to another with the same number. */
export function diffPool(
  before: PoolElements | undefined,
  after: PoolElements | undefined,
  sink: ElementSink,
): void {
  const number = before?.number ?? after?.number ?? 0
  diffSlots('slots', number, before?.slots ?? [], after?.slots ?? [], sink, (backend) => backend)
  diffSlots(
    'sticky-slots',
    number,
    before?.stickySlots ?? [],
    after?.stickySlots ?? [],
    sink,
    hostWordString,
  )
  const endpointsBefore = before?.endpoints ?? noEndpoints
  const endpointsAfter = after?.endpoints ?? noEndpoints
  for (const [endpoint, value] of endpointsBefore) {
    if (endpointsAfter.get(endpoint) === value) continue
    sink.remove('endpoints', { key: poolKey(number, endpoint), value })
  }
  for (const [endpoint, value] of endpointsAfter) {
    if (endpointsBefore.get(endpoint) === value) continue
    sink.add('endpoints', { key: poolKey(number, endpoint), value })
  }
  if (before?.kind === after?.kind && before?.comment === after?.comment) return
  if (before?.kind !== undefined) sink.remove('pools', kindElement(before, before.kind))
  if (after?.kind !== undefined) sink.add('pools', kindElement(after, after.kind))
}

/** Calls back for every element of the pool. */
export function forEachPoolElement(
  pool: PoolElements,
  visit: (set: string, element: SetElement) => void,
): void {
  diffPool(undefined, pool, { add: visit, remove: () => {} })
}

/** Backends by slot, whatever form the pool has. */
function backendsOf(pool: PoolElements): ByteString[] {
  if (!isSticky(pool)) return pool.slots.map((backend) => backend ?? '')
  return pool.stickySlots.map((endpoint) =>
    endpoint === undefined ? '' : (pool.endpoints.get(endpoint) ?? ''),
  )
}

function diffSlots<T>(
  set: string,
  number: number,
  before: readonly (T | undefined)[],
  after: readonly (T | undefined)[],
  sink: ElementSink,
  encode: (content: T) => ByteString,
): void {
  const count = Math.max(before.length, after.length)
  for (let slot = 0; slot < count; slot++) {
    const old = before[slot]
    const wanted = after[slot]
    if (old === wanted) continue
    const key = poolKey(number, slot)
    if (old !== undefined) sink.remove(set, { key, value: encode(old) })
    if (wanted !== undefined) sink.add(set, { key, value: encode(wanted) })
  }
}

function kindElement(pool: PoolElements, kind: number): SetElement {
  const element = { key: hostWordString(pool.number), value: hostWordString(kind) }
  return pool.comment === undefined ? element : { ...element, comment: pool.comment }
}

function numberEndpoints(
  backends: readonly ByteString[],
  previous: ReadonlyMap<number, ByteString>,
): ReadonlyMap<number, ByteString> {
  const endpoints = new Map<number, ByteString>()
  const homeless = new Set(backends)
  for (const [endpoint, backend] of previous) {
    if (homeless.delete(backend)) endpoints.set(endpoint, backend)
  }
  for (const backend of homeless) {
    let endpoint = endpointNumber(backend)
    while (endpoints.has(endpoint)) endpoint = (endpoint + 1) >>> 0
    endpoints.set(endpoint, backend)
  }
  return endpoints
}
