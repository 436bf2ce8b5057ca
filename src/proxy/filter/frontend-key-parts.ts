import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { TableFamily } from '../../netlink/nftables/objects.ts'
import * as nft from '../../ruleset/statements.ts'

/** `ip daddr . meta l4proto . th dport`, with `saddr` behind or before it. */
export function frontendKeyParts(
  family: TableFamily,
  source?: 'behind' | 'before',
): readonly Expression[] {
  const words = nft.addressWords(family)
  const first = nft.firstRegister + (source === 'before' ? words : 0)
  const next = first + words
  const key: readonly Expression[] = [
    nft.loadDestination(family, first),
    nft.loadProtocol(next),
    nft.loadDestinationPort(next + 1),
  ]
  if (source === 'before') return [nft.loadSource(family), ...key]
  return source === 'behind' ? [...key, nft.loadSource(family, next + 2)] : key
}
