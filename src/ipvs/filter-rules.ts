import type { Family } from '../net/address.ts'
import type { Expression } from '../netlink/nftables/expressions.ts'
import type { TableFamily } from '../netlink/nftables/objects.ts'
import { endChains, unusedAddressRules } from '../proxy/filter/end-chains.ts'
import { filledChain as filled, type RuleParts } from '../proxy/filter/filled-chain.ts'
import { frontendKeyParts } from '../proxy/filter/frontend-key-parts.ts'
import { podMatches } from '../proxy/filter/pod-matches.ts'
import type { NodePlan, SourceClass } from '../proxy/plan/plan.ts'
import * as nft from '../ruleset/statements.ts'
import type { FilledChain, TableStructure } from '../ruleset/table-structure.ts'
import { filterSets } from './filter-sets.ts'
import { clearMarkBit, isNotNew, markFromMap, originalFrontendParts } from './statements.ts'

/** Name of our table in both families. */
export const tableName = 'portolan-ipvs'

/** Chains that packets come into the table by. */
export const hookNames = ['input', 'forward', 'output', 'postrouting'] as const

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
      noServiceChain(table, family, node),
      ...endChains(family),
    ],
  }
}

function hookChains(table: TableFamily, family: Family, node: NodePlan): FilledChain[] {
  const first: RuleParts = [[...isNotNew(), nft.leave()], 'IPVS knows its connections']
  const fromPods = podMatches(family, node).map(
    (match): RuleParts => [[...match, nft.goto('from-pod')]],
  )
  // A local process can only be taken for a pod by its address: no interface brought its packet in.
  const sentByPods = node.podDetector.kind === 'prefixes' ? fromPods : []
  return [
    filled('input', { type: 'filter', hook: 'input', priority: 90 }, first, ...fromPods, [
      [nft.goto('from-outside')],
    ]),
    filled('forward', { type: 'filter', hook: 'forward', priority: -10 }, first, [
      [nft.goto('no-service')],
    ]),
    filled('output', { type: 'filter', hook: 'output', priority: -110 }, first, ...sentByPods, [
      [nft.goto('from-node')],
    ]),
    filled(
      'postrouting',
      { type: 'nat', hook: 'postrouting', priority: 100 },
      [
        [
          ...nft.hasMarkBit(node.masqueradeMark),
          ...clearMarkBit(node.masqueradeMark),
          nft.masquerade(),
        ],
      ],
      [
        [
          ...frontendKeyParts(table, 'before'),
          nft.lookup('hairpin'),
          ...originalFrontendParts(table),
          nft.lookup('frontends'),
          nft.masquerade(),
        ],
      ],
    ),
  ]
}

function classChains(table: TableFamily, node: NodePlan): FilledChain[] {
  const key = frontendKeyParts(table)
  const marked = nft.jump('mark-masquerade')
  const inSet = (set: string, end: Expression): RuleParts => [[...key, nft.lookup(set), end]]
  // Service addresses are local, so the kernel takes the one that is connected to for the source as well.
  const ownSource: RuleParts = [
    [
      nft.loadSource(table),
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
      inSet('restricted', nft.jump('check-source')),
      inSet(`discard-${source}`, nft.goto('discard')),
      inSet(`refuse-${source}`, nft.goto('refuse')),
      inSet(`masquerade-${source}`, marked),
      [[...key, ...markFromMap(`short-cuts-${source}`)]],
      ...more,
      [[nft.goto('no-service')]],
    )
  return [
    chain('pod'),
    chain('node', ownSource),
    chain('outside'),
    filled('mark-masquerade', undefined, [nft.setMarkBit(node.masqueradeMark)]),
  ]
}

function noServiceChain(table: TableFamily, family: Family, node: NodePlan): FilledChain {
  return filled(
    'no-service',
    undefined,
    [[...frontendKeyParts(table), nft.lookup('frontends'), nft.leave()]],
    [
      [nft.loadDestination(table), nft.lookup('service-addresses'), nft.goto('refuse')],
      'the node itself must not answer on a service address',
    ],
    ...unusedAddressRules(family, node),
  )
}
