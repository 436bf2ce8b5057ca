import { addressBytes, type Family, writeAddress } from '../net/address.ts'
import { type Prefix, prefixRange } from '../net/prefix.ts'
import type { Expression } from '../netlink/nftables/expressions.ts'
import type { Hook, TableFamily } from '../netlink/nftables/objects.ts'
import type { NodePlan, SourceClass } from '../proxy/plan/plan.ts'
import type { FilledChain, TableStructure } from '../ruleset/table-structure.ts'
import { filterSets } from './filter-sets.ts'
import * as nft from './statements.ts'

/** Name of our table in both families. */
export const tableName = 'portolan-ipvs'

type RuleParts = readonly [readonly Expression[], string?]

/** The table of a family without elements: it depends on the node's configuration only. IPVS takes packets
 *  at priority 98 of the input hook and at -98 of the output hook; these chains stand just before it. */
export function filterTable(family: Family, node: NodePlan): TableStructure {
  const table: TableFamily = family === 4 ? 'ip' : 'ip6'
  return {
    table: {
      family: table,
      name: tableName,
      comment: 'what IPVS does not do for services, kept by portolan: changes by hand are undone',
    },
    sets: filterSets(table),
    chains: [
      ...hookChains(table, family, node),
      ...classChains(table, node),
      ...endChains(table, family, node),
    ],
  }
}

function filled(name: string, hook: Hook | undefined, ...rules: readonly RuleParts[]): FilledChain {
  return {
    chain: hook === undefined ? { name } : { name, hook },
    rules: rules.map(([expressions, comment]) =>
      comment === undefined ? { chain: name, expressions } : { chain: name, expressions, comment },
    ),
  }
}

function hookChains(table: TableFamily, family: Family, node: NodePlan): FilledChain[] {
  const first: RuleParts = [[...nft.isNotNew(), nft.decide('return')], 'IPVS knows its connections']
  const fromPods = podMatches(table, family, node).map(
    (match): RuleParts => [[...match, nft.decide('goto', 'from-pod')]],
  )
  // A local process can only be taken for a pod by its address: no interface brought its packet in.
  const sentByPods = node.podDetector.kind === 'prefixes' ? fromPods : []
  return [
    filled('input', { type: 'filter', hook: 'input', priority: 90 }, first, ...fromPods, [
      [nft.decide('goto', 'from-outside')],
    ]),
    filled('forward', { type: 'filter', hook: 'forward', priority: -10 }, first, [
      [nft.decide('goto', 'no-service')],
    ]),
    filled('output', { type: 'filter', hook: 'output', priority: -110 }, first, ...sentByPods, [
      [nft.decide('goto', 'from-node')],
    ]),
    filled(
      'postrouting',
      { type: 'nat', hook: 'postrouting', priority: 100 },
      [
        [
          ...nft.hasMarkBit(node.masqueradeMark),
          ...nft.setMarkBit(node.masqueradeMark, false),
          nft.masquerade(),
        ],
      ],
      [
        [
          ...nft.frontendKeyParts(table, 'before'),
          nft.lookup('hairpin'),
          ...nft.originalFrontendParts(table),
          nft.lookup('frontends'),
          nft.masquerade(),
        ],
      ],
    ),
  ]
}

function classChains(table: TableFamily, node: NodePlan): FilledChain[] {
  const key = nft.frontendKeyParts(table)
  const marked = nft.decide('jump', 'mark-masquerade')
  const inSet = (set: string, end: Expression): RuleParts => [[...key, nft.lookup(set), end]]
  // Service addresses are local, so the kernel takes the one that is connected to for the source as well.
  const ownSource: RuleParts = [
    [
      nft.load(table, 'saddr'),
      nft.lookup('service-addresses'),
      ...key,
      nft.lookup('frontends'),
      marked,
    ],
    'a service address is no source',
  ]
  const chain = (source: SourceClass, ...more: readonly RuleParts[]): FilledChain =>
    filled(
      `from-${source}`,
      undefined,
      inSet('restricted', nft.decide('jump', 'check-source')),
      inSet(`discard-${source}`, nft.decide('goto', 'discard')),
      inSet(`refuse-${source}`, nft.decide('goto', 'refuse')),
      inSet(`masquerade-${source}`, marked),
      [[...key, ...nft.markFromMap(`short-cuts-${source}`)]],
      ...more,
      [[nft.decide('goto', 'no-service')]],
    )
  return [
    chain('pod'),
    chain('node', ownSource),
    chain('outside'),
    filled('mark-masquerade', undefined, [nft.setMarkBit(node.masqueradeMark, true)]),
  ]
}

function endChains(table: TableFamily, family: Family, node: NodePlan): FilledChain[] {
  const key = nft.frontendKeyParts(table)
  const unreachable: RuleParts = [[nft.rejectUnreachable(table)]]
  // Kernels limit the rate of ICMPv6 errors, and a client without one waits; resets are not limited.
  const reset: RuleParts = [
    [nft.loadProtocol(), nft.compare('==', Uint8Array.of(6)), nft.rejectReset()],
  ]
  return [
    filled(
      'check-source',
      undefined,
      [
        [
          ...nft.frontendKeyParts(table, 'behind'),
          nft.lookup('source-ranges'),
          nft.decide('return'),
        ],
      ],
      [[nft.decide('drop')]],
    ),
    filled(
      'no-service',
      undefined,
      [[...key, nft.lookup('frontends'), nft.decide('return')]],
      [
        [nft.load(table, 'daddr'), nft.lookup('service-addresses'), nft.decide('goto', 'refuse')],
        'the node itself must not answer on a service address',
      ],
      ...node.serviceRanges
        .filter((prefix) => prefix.family === family)
        .map(
          (prefix): RuleParts => [
            [...inPrefix(prefix, nft.load(table, 'daddr')), nft.decide('goto', 'discard')],
            'service range, no service has the address',
          ],
        ),
    ),
    filled('refuse', undefined, ...(family === 4 ? [] : [reset]), unreachable),
    filled('discard', undefined, [[nft.decide('drop')]]),
  ]
}

function podMatches(
  table: TableFamily,
  family: Family,
  { podDetector: detector }: NodePlan,
): readonly (readonly Expression[])[] {
  if (detector.kind === 'none') return []
  if (detector.kind === 'prefixes') {
    return detector.prefixes
      .filter((prefix) => prefix.family === family)
      .map((prefix) => inPrefix(prefix, nft.load(table, 'saddr')))
  }
  // IFNAMSIZ is 16; a name that is compared whole ends with a NUL, a prefix does not.
  const name = detector.match === 'exact' ? detector.name.padEnd(16, '\0') : detector.name
  return [[nft.loadInputName(), nft.compare('==', new Uint8Array(Buffer.from(name)))]]
}

function inPrefix(prefix: Prefix, load: Expression): readonly Expression[] {
  const { first, last } = prefixRange(prefix)
  const address = new Uint8Array(addressBytes(prefix.family))
  writeAddress(address, 0, prefix.address)
  if (prefix.length === address.length * 8) return [load, nft.compare('==', address)]
  const mask = first.map((byte, index) => 0xff ^ byte ^ (last[index] ?? 0))
  return [load, nft.maskAndXor(mask, new Uint8Array(first.length)), nft.compare('==', address)]
}
