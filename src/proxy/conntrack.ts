import { addressBytes, type Family, writeAddress } from '../net/address.ts'
import { type ByteString, toByteString } from '../net/byte-string.ts'
import { protocolNumber } from '../net/protocol.ts'
import type { ConntrackConnection } from '../netlink/conntrack.ts'
import type { ConntrackFlow, ConntrackTuple } from '../netlink/conntrack-flow.ts'
import {
  type Backend,
  type Frontend,
  frontendKey,
  type NodePlan,
  type PlanChange,
  type ServicePlan,
} from './plan/plan.ts'

/** A UDP frontend some of whose tracked flows may go where new ones would not. */
export interface StaleFrontend {
  readonly family: Family
  /** Addresses that clients sent to; undefined: any (a node port on every local address). */
  readonly addresses: readonly string[] | undefined
  readonly port: number
  /** Backends of the frontend now: flows to others go. */
  readonly backends: readonly Backend[]
}

/** The UDP frontends whose tracked flows must be looked at after these changes: those that lost a backend, and
 *  those that balance now and did not before (a flow that began then passes by the new rules for as long as
 *  it sends). As in the original, a frontend without backends keeps its flows, and so does one that is
 *  removed; TCP ends by itself and is left alone. `node`: where node ports answer. */
export function staleFlows(
  changes: readonly PlanChange[],
  node: Pick<NodePlan, 'nodePortAddresses'>,
): readonly StaleFrontend[] {
  return changes.flatMap(({ before, after }) => {
    const known = backendsByFrontend(before)
    return udpFrontends(after).flatMap((frontend) => {
      const backends = backendsOf(frontend)
      if (backends.size === 0) return []
      const previous = known.get(frontendKey(frontend))
      const isStale =
        previous === undefined ||
        previous.size === 0 ||
        [...previous.keys()].some((key) => !backends.has(key))
      return isStale ? [staleFrontend(frontend, [...backends.values()], node)] : []
    })
  })
}

/** Deletes the tracked UDP flows of these frontends that do not go to one of their backends, and returns how
 *  many. One filtered dump for each family that occurs, and none when nothing is stale. */
export function cleanConntrack(
  connection: Pick<ConntrackConnection, 'forEachFlow' | 'deleteFlows'>,
  stale: readonly StaleFrontend[],
): number {
  let deleted = 0
  for (const family of [4, 6] as const) {
    const ofFamily = stale.filter((frontend) => frontend.family === family)
    if (ofFamily.length > 0) deleted += cleanFamily(connection, family, ofFamily)
  }
  return deleted
}

function cleanFamily(
  connection: Pick<ConntrackConnection, 'forEachFlow' | 'deleteFlows'>,
  family: Family,
  stale: readonly StaleFrontend[],
): number {
  const wanted = wantedEnds(stale)
  const doomed: ConntrackFlow[] = []
  connection.forEachFlow({ family, original: filterOf(stale) }, (flow) => {
    const { destination, destinationPort } = flow.original
    const backends =
      wanted.get(endKey(destination, destinationPort)) ?? wanted.get(endKey('', destinationPort))
    const { source, sourcePort } = flow.reply
    if (backends !== undefined && !backends.has(endKey(source, sourcePort))) doomed.push(flow)
  })
  return connection.deleteFlows(doomed)
}

/** The kernel is asked for UDP, and for the port when all the frontends have the same. */
function filterOf(stale: readonly StaleFrontend[]): Partial<ConntrackTuple> {
  const ports = new Set(stale.map(({ port }) => port))
  const [port] = ports
  return {
    protocol: protocolNumber('UDP'),
    ...(ports.size === 1 && port !== undefined ? { destinationPort: port } : {}),
  }
}

/** Ends that clients sent to, and the ends of the backends behind each. No address: any. */
function wantedEnds(stale: readonly StaleFrontend[]): Map<ByteString, ReadonlySet<ByteString>> {
  const ends = new Map<ByteString, ReadonlySet<ByteString>>()
  for (const { family, addresses, port, backends } of stale) {
    const targets = new Set(
      backends.map((backend) => endKey(addressKey(family, backend.address), backend.port)),
    )
    if (addresses === undefined) ends.set(endKey('', port), targets)
    else for (const one of addresses) ends.set(endKey(addressKey(family, one), port), targets)
  }
  return ends
}

function staleFrontend(
  frontend: Frontend,
  backends: readonly Backend[],
  { nodePortAddresses }: Pick<NodePlan, 'nodePortAddresses'>,
): StaleFrontend {
  const { family, address, port } = frontend
  const isIpv6 = family === 6
  const addresses =
    address !== undefined
      ? [address]
      : nodePortAddresses === 'any-local'
        ? undefined
        : nodePortAddresses.filter((one) => one.includes(':') === isIpv6)
  return { family, addresses, port, backends }
}

function backendsByFrontend(
  plan: ServicePlan | undefined,
): ReadonlyMap<string, ReadonlyMap<string, Backend>> {
  return new Map(
    udpFrontends(plan).map((frontend) => [frontendKey(frontend), backendsOf(frontend)]),
  )
}

function udpFrontends(plan: ServicePlan | undefined): readonly Frontend[] {
  return plan === undefined ? [] : plan.frontends.filter(({ protocol }) => protocol === 'UDP')
}

/** Backends of any source class: a traffic policy decides about new flows only. */
function backendsOf(frontend: Frontend): ReadonlyMap<string, Backend> {
  const backends = new Map<string, Backend>()
  for (const action of Object.values(frontend.actions)) {
    if (action.kind !== 'balance') continue
    for (const backend of action.pool.backends) {
      backends.set(`${backend.address} ${backend.port}`, backend)
    }
  }
  return backends
}

function addressKey(family: Family, address: string): ByteString {
  const bytes = new Uint8Array(addressBytes(family))
  writeAddress(bytes, 0, address)
  return toByteString(bytes)
}

function endKey(address: ByteString, port: number): ByteString {
  return address + String.fromCharCode(port >> 8, port & 0xff)
}
