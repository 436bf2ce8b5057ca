import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { SetDefinition, TableFamily } from '../../netlink/nftables/objects.ts'
import { defineSet } from '../../ruleset/define-set.ts'
import * as nft from '../../ruleset/statements.ts'
import { addressWords, firstRegister } from '../../ruleset/statements.ts'

/** The table that counts what clients send, for as long as somebody looks. */
export const trafficTable = 'portolan-traffic'

/** Right before destination NAT (-100), where packets still go to the frontend. */
const beforeNat = -101

/** Hooks that packets from elsewhere and from this node meet. */
export const trafficHooks = [
  { chain: 'received', hook: { type: 'filter', hook: 'prerouting', priority: beforeNat } },
  { chain: 'sent', hook: { type: 'filter', hook: 'output', priority: beforeNat } },
] as const

/** A set of frontends `daddr . l4proto . dport`, whose elements count packets that find them. */
export function trafficSet(family: TableFamily, name: 'connections' | 'packets'): SetDefinition {
  return defineSet(family, {
    name,
    key: ['daddr', 'l4proto', 'dport'],
    isCounting: true,
    comment: `${name} from clients`,
  })
}

/** Rules of a chain: one counts all packets, one those that open a connection. What this node sends to
 *  itself meets both hooks and counts where it is sent. */
export function trafficRules(
  family: TableFamily,
  chain: 'received' | 'sent',
): readonly (readonly Expression[])[] {
  const words = addressWords(family)
  const fromElsewhere = [nft.loadInputName(), nft.compare('!=', Buffer.from('lo'.padEnd(16, '\0')))]
  const guard = chain === 'received' ? fromElsewhere : []
  const key = [
    nft.loadDestination(family),
    nft.loadProtocol(firstRegister + words),
    nft.loadDestinationPort(firstRegister + words + 1),
  ]
  return [
    [...guard, ...key, nft.lookup('packets')],
    [...guard, ...nft.opensConnection(), ...key, nft.lookup('connections')],
  ]
}
