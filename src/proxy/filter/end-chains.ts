import type { Family } from '../../net/address.ts'
import type { TableFamily } from '../../netlink/nftables/objects.ts'
import * as nft from '../../ruleset/statements.ts'
import type { FilledChain } from '../../ruleset/table-structure.ts'
import type { NodePlan } from '../plan/plan.ts'
import { filledChain, type RuleParts } from './filled-chain.ts'
import { frontendKeyParts } from './frontend-key-parts.ts'

/** The chains in which flows end that get no endpoint: `check-source` drops what the set `source-ranges` does
 *  not have, `refuse` answers that nobody is there, `discard` says nothing. */
export function endChains(family: Family): FilledChain[] {
  const table: TableFamily = family === 4 ? 'ip' : 'ip6'
  const unreachable: RuleParts = [[nft.rejectUnreachable(table)]]
  // Kernels limit the rate of ICMPv6 errors, and a client without one waits; resets are not limited.
  const reset: RuleParts = [
    [nft.loadProtocol(), nft.compare('==', Uint8Array.of(6)), nft.rejectReset()],
  ]
  return [
    filledChain(
      'check-source',
      undefined,
      [[...frontendKeyParts(table, 'behind'), nft.lookup('source-ranges'), nft.leave()]],
      [[nft.drop()]],
    ),
    filledChain('refuse', undefined, ...(family === 4 ? [] : [reset]), unreachable),
    filledChain('discard', undefined, [[nft.drop()]]),
  ]
}

/** Rules that drop what goes to an address in the range of services that no service has. */
export function unusedAddressRules(family: Family, node: NodePlan): RuleParts[] {
  const table: TableFamily = family === 4 ? 'ip' : 'ip6'
  return node.serviceRanges
    .filter((prefix) => prefix.family === family)
    .map((prefix) => [
      [...nft.inPrefix(prefix, nft.loadDestination(table)), nft.goto('discard')],
      'service range, no service has the address',
    ])
}
