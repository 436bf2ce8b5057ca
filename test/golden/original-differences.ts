import { prefixContains } from '../../src/net/prefix.ts'
import {
  type AcceptedDifference,
  type DifferenceCase,
  differsByDoubledEndpoint,
} from './accepted-differences.ts'
import { addressHits, isClusterAddress, nodePortHits } from './frontend-facts.ts'
import { differsOnlyAt } from './iptables-differences.ts'

/** A known class of flows that kube-proxy's two modes treat differently. */
export type OriginalDifference = AcceptedDifference

/** Where kube-proxy's iptables mode differs from its nftables mode; the first that matches counts. */
export const originalDifferences: readonly OriginalDifference[] = [
  {
    id: 'cluster-address-other-port',
    reason:
      'A cluster address is asked for a port that the service does not have: nftables mode rejects, iptables mode lets the packet pass (and loop through the default route).',
    matches: ({ state, sampled, original, other }) =>
      original.kind === 'reject' &&
      other.kind === 'untouched' &&
      isClusterAddress(state, sampled.flow.destination) &&
      addressHits(state, sampled).length === 0,
  },
  {
    id: 'unallocated-cluster-address',
    reason:
      'An address of the service range that no proxied service has: nftables mode drops, iptables mode lets the packet pass.',
    matches: ({ scenario, sampled, original, other }) =>
      original.kind === 'drop' &&
      other.kind === 'untouched' &&
      scenario.servicePrefixes.some((prefix) => prefixContains(prefix, sampled.flow.destination)),
  },
  {
    id: 'node-port-on-other-addresses',
    reason:
      'Without nodePortAddresses node ports answer on the main address of the node in nftables mode and on all local addresses, loopback included, in iptables mode; with nodePortAddresses only nftables mode leaves the no-endpoint answers out on other addresses.',
    matches: (difference) =>
      difference.original.kind === 'untouched' &&
      difference.other.kind !== 'untouched' &&
      isOtherNodePort(difference),
  },
  {
    id: 'loopback-from-elsewhere',
    reason:
      'iptables mode drops packets to 127.0.0.0/8 whose source is not in it (a guard for route_localnet); nftables mode needs no such guard.',
    matches: ({ sampled: { flow }, original, other }) =>
      original.kind === 'untouched' &&
      other.kind === 'drop' &&
      flow.destination.startsWith('127.') &&
      !flow.source.startsWith('127.'),
  },
  {
    id: 'remote-hairpin',
    reason:
      'A pod of another node is sent back to itself: iptables mode masquerades every endpoint that reaches itself, nftables mode only those of this node.',
    matches: ({ sampled: { flow }, original, other }) =>
      differsOnlyAt(flow.source, original, other),
  },
  {
    id: 'reject-for-node-itself',
    reason:
      'An external or load balancer address without endpoints: nftables mode rejects packets of the node itself too, the iptables chain for these addresses is not called from OUTPUT.',
    matches: ({ state, sampled, original, other }) =>
      (original.kind === 'reject' || original.kind === 'drop') &&
      other.kind === 'untouched' &&
      sampled.flow.origin === 'local' &&
      addressHits(state, sampled).length > 0,
  },
  {
    id: 'firewall-without-endpoints',
    reason:
      'A load balancer address with source ranges but without endpoints: nftables mode checks the ranges first and drops, iptables mode rejects (or, for the node itself, lets pass) without looking at them.',
    matches: ({ state, sampled, original, other }) =>
      original.kind === 'drop' &&
      other.kind === 'reject' &&
      addressHits(state, sampled).some(
        ({ service }) => service.loadBalancerSourceRanges.length > 0,
      ),
  },
  {
    id: 'doubled-endpoint-order',
    reason:
      'Two slices hold the same address and port with different nodes or conditions; each run of kube-proxy took another one (the order of a hash map).',
    matches: differsByDoubledEndpoint,
  },
]

/** A node port on an address of this node that NodePlan.nodePortAddresses leaves out. */
function isOtherNodePort({ scenario, state, sampled }: DifferenceCase): boolean {
  const { destination } = sampled.flow
  const { nodePortAddresses } = scenario.context.node
  const isLoopback = destination.startsWith('127.') || destination === '::1'
  if (!isLoopback && !sampled.localAddresses.includes(destination)) return false
  if (!isLoopback && nodePortAddresses === 'any-local') return false
  if (nodePortAddresses !== 'any-local' && nodePortAddresses.includes(destination)) return false
  return nodePortHits(state, sampled).length > 0
}
