import type { NftablesBatch } from '../../netlink/nftables/batch.ts'
import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { TableFamily } from '../../netlink/nftables/objects.ts'
import { defineSet } from '../../ruleset/define-set.ts'
import { addressKey } from '../../ruleset/element-keys.ts'
import * as nft from '../../ruleset/statements.ts'

/** The table of node-local DNS. */
export const untrackedTable = 'portolan-dns'

/** Before connection tracking (-200), as nft's `raw`. */
const beforeTracking = -300

/** Adds a table that keeps queries to these addresses, and their answers, out of connection tracking: no
 *  entry for each query, no race for one, and no proxy rule that sends them elsewhere. The kernel removes
 *  it with the socket. */
export function addUntrackedTable(
  batch: NftablesBatch,
  family: TableFamily,
  addresses: readonly string[],
  port: number,
): void {
  batch.addTable({ family, name: untrackedTable, endsWithSocket: true })
  const set = defineSet(family, {
    name: 'addresses',
    key: ['daddr'],
    comment: 'where DNS answers on this node',
  })
  batch.addSet(family, untrackedTable, set)
  for (const address of addresses) {
    batch.addElement(family, untrackedTable, set, addressKey(address))
  }
  const queries = [nft.loadDestination(family), nft.lookup(set.name)]
  const answers = [nft.loadSource(family), nft.lookup(set.name)]
  for (const [hook, rules] of [
    ['prerouting', [[queries, nft.loadDestinationPort()]]],
    [
      'output',
      [
        [queries, nft.loadDestinationPort()],
        [answers, nft.loadSourcePort()],
      ],
    ],
  ] as const) {
    batch.addChain(family, untrackedTable, {
      name: hook,
      hook: { type: 'filter', hook, priority: beforeTracking },
    })
    for (const [addressed, loadPort] of rules) {
      for (const protocol of [tcp, udp]) {
        const expressions = [
          ...addressed,
          nft.loadProtocol(),
          nft.compare('==', Uint8Array.of(protocol)),
          loadPort,
          nft.compare('==', Uint8Array.of(port >> 8, port & 0xff)),
          withoutTracking,
        ]
        batch.addRule(family, untrackedTable, { chain: hook, expressions })
      }
    }
  }
}

/** IPPROTO_TCP, IPPROTO_UDP */
const [tcp, udp] = [6, 17] as const

const withoutTracking: Expression = { name: 'notrack', data: {} }
