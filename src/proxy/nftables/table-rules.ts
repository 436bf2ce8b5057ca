import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { Chain } from '../../netlink/nftables/objects.ts'
import * as nft from '../../ruleset/statements.ts'
import type { FilledChain } from '../../ruleset/table-structure.ts'
import { nodePortGuard } from '../filter/node-port-guard.ts'
import { podMatches } from '../filter/pod-matches.ts'
import type { NodePlan } from '../plan/plan.ts'
import { detectsPods } from '../plan/plan-context.ts'
import type { FamilyLayout } from './family-layout.ts'
import { drawChain, refuseKind, tierChain } from './kinds.ts'
import {
  addressMap,
  balance,
  choose,
  dispatch,
  type FrontendMap,
  frontendKeyParts,
  nodePortKeyParts,
  nodePortMap,
  recall,
} from './rule-parts.ts'
import { drawsPerTier, tiers } from './tiers.ts'

/** All chains of a table. They depend on the node's configuration and on which affinity timeouts are in
 *  use, never on services. */
export function tableRules(
  layout: FamilyLayout,
  node: NodePlan,
  affinitySeconds: readonly number[],
): readonly FilledChain[] {
  const guard = nodePortGuard(layout.family, node)
  return [
    ...hookChains(layout, node),
    ...classChains(layout, node),
    ...serviceChains(layout, node, guard),
    ...tierChains(layout, '', guard, affinitySeconds),
    ...tierChains(layout, 'short-cut-', guard, affinitySeconds),
  ]
}

function filled(chain: Chain, ...rules: readonly [readonly Expression[], string?][]): FilledChain {
  return {
    chain,
    rules: rules.map(([expressions, comment]) =>
      comment === undefined
        ? { chain: chain.name, expressions }
        : { chain: chain.name, expressions, comment },
    ),
  }
}

function hookChains(layout: FamilyLayout, node: NodePlan): FilledChain[] {
  const received = podMatches(layout.family, node).map((match): [readonly Expression[]] => [
    [...match, nft.goto('from-pod')],
  ])
  // A local process can only be taken for a pod by its address: no interface brought its packet in.
  const sent = node.podDetector.kind === 'prefixes' ? received : []
  const mark = nft.hostWord(node.masqueradeMark)
  return [
    filled(
      { name: 'prerouting', hook: { type: 'nat', hook: 'prerouting', priority: -100 } },
      ...received,
      [[nft.goto('from-outside')]],
    ),
    filled({ name: 'output', hook: { type: 'nat', hook: 'output', priority: -100 } }, ...sent, [
      [nft.goto('from-node')],
    ]),
    filled(
      { name: 'postrouting', hook: { type: 'nat', hook: 'postrouting', priority: 100 } },
      [
        [
          ...nft.hasMarkBit(node.masqueradeMark),
          nft.loadMark(),
          nft.maskAndXor(nft.hostWord(0xffffffff), mark),
          nft.storeMark(),
          nft.masquerade(),
        ],
      ],
      [
        [
          ...destinationWasTranslated(),
          ...hairpinKey(layout),
          nft.lookup('hairpin'),
          nft.masquerade(),
        ],
      ],
    ),
  ]
}

function classChains(layout: FamilyLayout, node: NodePlan): FilledChain[] {
  const clusterAddress: [readonly Expression[]] = [
    [
      nft.loadDestination(layout.table),
      nft.lookup('cluster-addresses'),
      nft.jump('mark-masquerade'),
    ],
  ]
  const detects = detectsPods(node.podDetector, layout.family)
  const marksOthers = detects || node.masqueradeAll ? [clusterAddress] : []
  const marksPods = node.masqueradeAll ? [clusterAddress] : []
  const guard = nodePortGuard(layout.family, node)
  const marked = nft.jump('mark-masquerade')
  return [
    filled(
      { name: 'from-pod', comment: 'connections of pods of this node' },
      ...marksPods,
      [[nft.jump('common')]],
      [[nft.goto('inside')]],
    ),
    filled(
      { name: 'from-node', comment: 'connections of this node itself' },
      ...marksOthers,
      [[...frontendKeyParts(layout), nft.lookup('masquerade-node'), marked]],
      [[...guard, ...nodePortKeyParts(), nft.lookup('masquerade-node-nodeports'), marked]],
      [[nft.jump('common')]],
      [[nft.goto('inside')]],
    ),
    filled(
      { name: 'from-outside', comment: 'all other connections' },
      ...marksOthers,
      [[nft.jump('common')]],
      [[nft.goto('services')]],
    ),
  ]
}

function serviceChains(
  layout: FamilyLayout,
  node: NodePlan,
  guard: readonly Expression[],
): FilledChain[] {
  const marked = nft.jump('mark-masquerade')
  const sourceKeyRegister = addressMap(layout, 'frontends').pool
  const dispatchTo = (prefix: string): [readonly Expression[], string][] =>
    frontendMaps(layout, prefix, guard).flatMap((map) => {
      const rule: [readonly Expression[], string] = [
        dispatch(map, `${prefix}kinds`),
        'mark is kept; twice, so that a change under way is met whole',
      ]
      return [rule, rule]
    })
  const services = dispatchTo('')
  const end: [readonly Expression[]] = [[nft.goto('no-service')]]
  return [
    filled(
      { name: 'common' },
      [[...frontendKeyParts(layout), nft.lookup('restricted'), nft.jump('check-source')]],
      [[...frontendKeyParts(layout), nft.lookup('masquerade-all'), marked]],
      [[...guard, ...nodePortKeyParts(), nft.lookup('masquerade-nodeports'), marked]],
    ),
    filled(
      { name: 'check-source', comment: 'frontends with source ranges' },
      [
        [
          ...frontendKeyParts(layout),
          nft.loadSource(layout.table, sourceKeyRegister),
          nft.lookup('source-ranges'),
          nft.leave(),
        ],
      ],
      [[nft.drop()]],
    ),
    filled({ name: 'mark-masquerade' }, [nft.setMarkBit(node.masqueradeMark)]),
    filled({ name: 'services' }, ...services, end),
    filled(
      { name: 'inside', comment: 'pods and the node reach all endpoints of a Local service' },
      ...dispatchTo('short-cut-'),
      ...services,
      end,
    ),
    filled(
      { name: 'no-service' },
      [
        [nft.loadDestination(layout.table), nft.lookup('cluster-addresses'), ...goToRefuse()],
        'by a map, so that a table that is being deleted refuses nothing',
      ],
      ...node.serviceRanges
        .filter((prefix) => prefix.family === layout.family)
        .map((prefix): [readonly Expression[], string] => [
          [...nft.inPrefix(prefix, nft.loadDestination(layout.table)), nft.goto('discard')],
          'service range, no service has the address',
        ]),
    ),
    refuseChain(layout),
    filled({ name: 'discard' }, [[nft.drop()]]),
  ]
}

/** Goes to `refuse` through the map of kinds. When a table is deleted, elements of its maps are gone from one
 *  instant on, those of its sets stay until the table's memory is freed (nft_map_deactivate in the kernel's
 *  nf_tables_api.c). A packet that is in these rules in that instant finds no frontend, but finds its address
 *  in `cluster-addresses`; refused here, it could not get to the rules of another mode. */
function goToRefuse(): readonly Expression[] {
  return [
    nft.loadMark(),
    nft.maskAndXor(nft.hostWord(0), nft.hostWord(refuseKind)),
    nft.lookupVerdict('kinds', nft.firstRegister),
  ]
}

/** Kernels limit the rate of ICMPv6 errors (net.ipv6.icmp.ratelimit), and a client whose error was not sent
 *  waits for its own time-out; resets are not limited, so IPv6 TCP gets one. */
function refuseChain(layout: FamilyLayout): FilledChain {
  const unreachable: [readonly Expression[]] = [[nft.rejectUnreachable(layout.table)]]
  if (layout.family === 4) return filled({ name: 'refuse' }, unreachable)
  const tcp = Uint8Array.of(6)
  return filled(
    { name: 'refuse' },
    [[nft.loadProtocol(), nft.compare('==', tcp), nft.rejectReset()]],
    unreachable,
  )
}

/** Chains of every tier. `draw-8` draws one of 8 slots and ends the flow's way through the table when the
 *  slot is filled, else it returns; `balance-8` draws again and again. `pick-` and `sticky-` are the same
 *  for clients that are remembered. */
function tierChains(
  layout: FamilyLayout,
  prefix: string,
  guard: readonly Expression[],
  affinitySeconds: readonly number[],
): FilledChain[] {
  const maps = frontendMaps(layout, prefix, guard)
  return [0, ...affinitySeconds].flatMap((seconds) =>
    tiers.flatMap((slotCount) => {
      const draw = drawChain(prefix, slotCount, seconds)
      const draws = maps.map((map): [readonly Expression[]] => [
        seconds === 0 ? balance(layout, map, slotCount) : choose(layout, map, slotCount, seconds),
      ])
      const recalls =
        seconds === 0
          ? []
          : maps.map((map): [readonly Expression[]] => [recall(layout, map, seconds)])
      const repeated = drawnTiers(slotCount).map((count): [readonly Expression[]] => [
        [nft.jump(drawChain(prefix, count, seconds))],
      ])
      return [
        filled({ name: draw }, ...draws),
        filled({ name: tierChain(prefix, slotCount, seconds) }, ...recalls, ...repeated),
      ]
    }),
  )
}

/** The draws of a tier, in order. A tier of one slot is drawn from twice only because a change under way
 *  may hide the slot once. */
function drawnTiers(slotCount: number): readonly number[] {
  if (slotCount === 1) return [1, 1]
  return [...Array.from({ length: drawsPerTier }, () => slotCount), slotCount / 2]
}

function frontendMaps(
  layout: FamilyLayout,
  prefix: string,
  guard: readonly Expression[],
): readonly FrontendMap[] {
  return prefix === ''
    ? [addressMap(layout, 'frontends'), nodePortMap(layout, 'nodeports', guard)]
    : [addressMap(layout, 'short-cuts'), nodePortMap(layout, 'nodeport-short-cuts', guard)]
}

/** `ct status dnat`: NFT_CT_STATUS 2, IPS_DST_NAT 1 << 5. A local connection of a host-network endpoint
 *  to itself has equal addresses too and must keep its source. */
function destinationWasTranslated(): readonly Expression[] {
  return [
    { name: 'ct', data: { dreg: 8, key: 2 } },
    nft.maskAndXor(nft.hostWord(32), nft.hostWord(0)),
    nft.compare('!=', nft.hostWord(0)),
  ]
}

function hairpinKey(layout: FamilyLayout): readonly Expression[] {
  const words = layout.addressBytes / 4
  return [
    nft.loadSource(layout.table),
    nft.loadDestination(layout.table, 8 + words),
    nft.loadProtocol(8 + 2 * words),
    nft.loadDestinationPort(8 + 2 * words + 1),
  ]
}
