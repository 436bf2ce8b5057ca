import { addressBytes, type Family, writeAddress } from '../net/address.ts'
import { type ByteString, toByteString } from '../net/byte-string.ts'
import { protocolNumber } from '../net/protocol.ts'
import type { ConntrackConnection } from '../netlink/conntrack.ts'
import type { ConntrackFlow, ConntrackTuple } from '../netlink/conntrack-flow.ts'
import {
  type Frontend,
  frontendKey,
  type NodePlan,
  type PlanChange,
  type ServicePlan,
} from './plan/plan.ts'

/** A UDP frontend some of whose tracked flows may go to endpoints that no longer serve. */
export interface StaleFrontend {
  readonly family: Family
  /** Addresses that clients sent to; undefined: any (a node port on every local address). */
  readonly addresses: readonly string[] | undefined
  readonly port: number
  /** Endpoints of the frontend that serve now: flows to other addresses go. */
  readonly serving: readonly string[]
}

/** The UDP frontends whose tracked flows must be looked at after these changes: those of whose endpoints one
 *  does not serve any more, and those that have endpoints now and had none before (a flow that began then
 *  passes by the new rules for as long as it sends). As in the original, a frontend without endpoints keeps
 *  its flows, and so does one that is removed; policies and topology decide about new flows only; TCP ends
 *  by itself and is left alone. `node`: where node ports answer. */
export function staleFlows(
  changes: readonly PlanChange[],
  node: Pick<NodePlan, 'nodePortAddresses'>,
): readonly StaleFrontend[] {
  return changes.flatMap(({ before, after }) => {
    const known = new Map(
      udpFrontends(before).map((frontend) => [frontendKey(frontend), servingOf(frontend)]),
    )
    return udpFrontends(after).flatMap((frontend) => {
      const serving = servingOf(frontend)
      if (serving.length === 0) return []
      const previous = known.get(frontendKey(frontend)) ?? []
      if (previous === serving) return []
      const now = new Set(serving)
      const isStale = previous.length === 0 || previous.some((address) => !now.has(address))
      return isStale ? [staleFrontend(frontend, serving, node)] : []
    })
  })
}

/** Deletes the tracked UDP flows of these frontends that do not go to an endpoint that serves, and returns how
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
    const serving =
      wanted.get(endKey(destination, destinationPort)) ?? wanted.get(endKey('', destinationPort))
    if (serving !== undefined && !serving.has(flow.reply.source)) doomed.push(flow)
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

/** Ends that clients sent to, and the addresses that serve behind each. No address: any. */
function wantedEnds(stale: readonly StaleFrontend[]): Map<ByteString, ReadonlySet<ByteString>> {
  const ends = new Map<ByteString, ReadonlySet<ByteString>>()
  for (const { family, addresses, port, serving } of stale) {
    const targets = new Set(serving.map((address) => addressKey(family, address)))
    if (addresses === undefined) ends.set(endKey('', port), targets)
    else for (const one of addresses) ends.set(endKey(addressKey(family, one), port), targets)
  }
  return ends
}

function staleFrontend(
  frontend: Frontend,
  serving: readonly string[],
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
  return { family, addresses, port, serving }
}

function udpFrontends(plan: ServicePlan | undefined): readonly Frontend[] {
  return plan === undefined ? [] : plan.frontends.filter(({ protocol }) => protocol === 'UDP')
}

function servingOf(frontend: Frontend): readonly string[] {
  return frontend.servingAddresses ?? []
}

function addressKey(family: Family, address: string): ByteString {
  const bytes = new Uint8Array(addressBytes(family))
  writeAddress(bytes, 0, address)
  return toByteString(bytes)
}

function endKey(address: ByteString, port: number): ByteString {
  return address + String.fromCharCode(port >> 8, port & 0xff)
}
