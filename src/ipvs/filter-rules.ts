import type { Family } from '../net/address.ts'
import type { Expression } from '../netlink/nftables/expressions.ts'
import type { Hook, TableFamily } from '../netlink/nftables/objects.ts'
import type { NodePlan, SourceClass } from '../proxy/plan/plan.ts'
import * as nft from '../ruleset/statements.ts'
import type { FilledChain, TableStructure } from '../ruleset/table-structure.ts'
import { filterSets } from './filter-sets.ts'
import {
  clearMarkBit,
  frontendKeyParts,
  isNotNew,
  markFromMap,
  originalFrontendParts,
} from './statements.ts'

/** Name of our table in both families. */
export const tableName = 'portolan-ipvs'

/** Chains that packets come into the table by. */
export const hookNames = ['input', 'forward', 'output', 'postrouting'] as const

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
  const first: RuleParts = [[...isNotNew(), nft.leave()], 'IPVS knows its connections']
  const fromPods = podMatches(table, family, node).map(
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

function endChains(table: TableFamily, family: Family, node: NodePlan): FilledChain[] {
  const key = frontendKeyParts(table)
  const unreachable: RuleParts = [[nft.rejectUnreachable(table)]]
  // Kernels limit the rate of ICMPv6 errors, and a client without one waits; resets are not limited.
  const reset: RuleParts = [
    [nft.loadProtocol(), nft.compare('==', Uint8Array.of(6)), nft.rejectReset()],
  ]
  return [
    filled(
      'check-source',
      undefined,
      [[...frontendKeyParts(table, 'behind'), nft.lookup('source-ranges'), nft.leave()]],
      [[nft.drop()]],
    ),
    filled(
      'no-service',
      undefined,
      [[...key, nft.lookup('frontends'), nft.leave()]],
      [
        [nft.loadDestination(table), nft.lookup('service-addresses'), nft.goto('refuse')],
        'the node itself must not answer on a service address',
      ],
      ...node.serviceRanges
        .filter((prefix) => prefix.family === family)
        .map(
          (prefix): RuleParts => [
            [...nft.inPrefix(prefix, nft.loadDestination(table)), nft.goto('discard')],
            'service range, no service has the address',
          ],
        ),
    ),
    filled('refuse', undefined, ...(family === 4 ? [] : [reset]), unreachable),
    filled('discard', undefined, [[nft.drop()]]),
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
      .map((prefix) => nft.inPrefix(prefix, nft.loadSource(table)))
  }
  return [nft.fromInterface(detector.name, detector.match)]
}
