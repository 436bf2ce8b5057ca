import type { Family } from '../../net/address.ts'
import type { Prefix } from '../../net/prefix.ts'
import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { TableFamily } from '../../netlink/nftables/objects.ts'
import * as nft from '../../ruleset/statements.ts'
import type { NodePlan } from '../plan/plan.ts'

/** Goes on only where node ports answer: on the addresses of the set `nodeport-addresses`, or on every local
 *  one but loopback. */
export function nodePortGuard(family: Family, node: NodePlan): readonly Expression[] {
  const table: TableFamily = family === 4 ? 'ip' : 'ip6'
  if (node.nodePortAddresses !== 'any-local') {
    return [nft.loadDestination(table), nft.lookup('nodeport-addresses')]
  }
  const loopback: Prefix =
    family === 4
      ? { family: 4, address: '127.0.0.0', length: 8 }
      : { family: 6, address: '::1', length: 128 }
  return [...nft.destinationIsLocal(), ...nft.inPrefix(loopback, nft.loadDestination(table), '!=')]
}
