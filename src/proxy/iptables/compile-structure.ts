import type { Family } from '../../net/address.ts'
import { hostPrefix, type Prefix } from '../../net/prefix.ts'
import type { NodePlan } from '../plan/plan.ts'
import { sameAddressProgram } from './hairpin.ts'
import { podMatches } from './pod-matches.ts'
import type { FilledChain, HookRule, Match, Rule, TableName, Target } from './rule.ts'

/** Chains that dispatch trees begin at. What the trees hold comes before the rules given here. */
export const roots = {
  services: { table: 'nat', chain: 'KUBE-SERVICES' },
  nodePorts: { table: 'nat', chain: 'KUBE-NODEPORTS' },
  refusedServices: { table: 'filter', chain: 'KUBE-SERVICES' },
  refusedExternal: { table: 'filter', chain: 'KUBE-EXTERNAL-SERVICES' },
  refusedPorts: { table: 'filter', chain: 'KUBE-EXTERNAL-PORTS' },
  refusedSources: { table: 'filter', chain: 'KUBE-PROXY-FIREWALL' },
  healthPorts: { table: 'filter', chain: 'KUBE-NODEPORTS' },
} as const satisfies Readonly<Record<string, { table: TableName; chain: string }>>

/** A chain that a dispatch tree begins at. */
export type RootName = keyof typeof roots

/** Everything that does not depend on services. */
export interface Structure {
  /** Chains without the parts that trees add. */
  readonly chains: readonly FilledChain[]
  /** By built-in chain, in the order in which packets shall meet them. */
  readonly hooks: readonly HookRule[]
}

/** Compiles the constant part of a family. */
export function compileStructure(node: NodePlan, family: Family): Structure {
  return { chains: [...natChains(node, family), ...filterChains(node, family)], hooks }
}

function to(chain: string): Target {
  return { kind: 'jump', chain }
}

const isNew: Match = { kind: 'conntrack', states: ['NEW'] }

function hook(
  table: TableName,
  chain: string,
  target: string,
  comment: string,
  matches: readonly Match[] = [],
): HookRule {
  return { table, chain, rule: { matches, comment, target: to(target) } }
}

/** kube-proxy's own jumps, word by word, and two more: the node's own packets to external addresses are
 *  refused too, and packets to service addresses that are bound to this node. */
const hooks: readonly HookRule[] = [
  hook('nat', 'PREROUTING', 'KUBE-SERVICES', 'kubernetes service portals'),
  hook('nat', 'OUTPUT', 'KUBE-SERVICES', 'kubernetes service portals'),
  hook('nat', 'POSTROUTING', 'KUBE-POSTROUTING', 'kubernetes postrouting rules'),
  hook('filter', 'INPUT', 'KUBE-PROXY-FIREWALL', 'kubernetes load balancer firewall', [isNew]),
  hook('filter', 'INPUT', 'KUBE-NODEPORTS', 'kubernetes health check service ports'),
  hook('filter', 'INPUT', 'KUBE-SERVICES', 'kubernetes service portals', [isNew]),
  hook(
    'filter',
    'INPUT',
    'KUBE-EXTERNAL-SERVICES',
    'kubernetes externally-visible service portals',
    [isNew],
  ),
  hook('filter', 'FORWARD', 'KUBE-PROXY-FIREWALL', 'kubernetes load balancer firewall', [isNew]),
  hook('filter', 'FORWARD', 'KUBE-FORWARD', 'kubernetes forwarding rules'),
  hook('filter', 'FORWARD', 'KUBE-SERVICES', 'kubernetes service portals', [isNew]),
  hook(
    'filter',
    'FORWARD',
    'KUBE-EXTERNAL-SERVICES',
    'kubernetes externally-visible service portals',
    [isNew],
  ),
  hook('filter', 'OUTPUT', 'KUBE-PROXY-FIREWALL', 'kubernetes load balancer firewall', [isNew]),
  hook('filter', 'OUTPUT', 'KUBE-SERVICES', 'kubernetes service portals', [isNew]),
  hook(
    'filter',
    'OUTPUT',
    'KUBE-EXTERNAL-SERVICES',
    'kubernetes externally-visible service portals',
    [isNew],
  ),
]

function natChains(node: NodePlan, family: Family): FilledChain[] {
  const { masqueradeMark: mark } = node
  const pods = podMatches(node, family)
  const others: FilledChain = {
    table: 'nat',
    name: 'KUBE-MARK-OTHERS',
    rules: [
      ...pods.map((match): Rule => ({ ...match, target: { kind: 'return' } })),
      { target: to('KUBE-MARK-MASQ') },
    ],
  }
  const nodePorts = guards(node, family).map(
    (guard): Rule => ({
      ...guard,
      comment: 'kubernetes service nodeports; NOTE: this must be the last rule in this chain',
      target: to('KUBE-NODEPORTS'),
    }),
  )
  return [
    { table: 'nat', name: 'KUBE-SERVICES', rules: nodePorts },
    { table: 'nat', name: 'KUBE-NODEPORTS', rules: [] },
    {
      table: 'nat',
      name: 'KUBE-MARK-MASQ',
      rules: [{ target: { kind: 'mark', flip: mark, clear: mark } }],
    },
    ...(pods.length > 1 ? [others] : []),
    { table: 'nat', name: 'KUBE-POSTROUTING', rules: postrouting(mark, family) },
  ]
}

/** The mark is cleared, because a packet that is put into a tunnel comes here a second time. */
function postrouting(mark: number, family: Family): readonly Rule[] {
  return [
    {
      matches: [
        { kind: 'conntrack', states: ['DNAT'] },
        { kind: 'bpf', program: sameAddressProgram(family) },
      ],
      comment: 'endpoints that reach themselves',
      target: to('KUBE-MARK-MASQ'),
    },
    { matches: [{ kind: 'mark', mask: mark, isNegated: true }], target: { kind: 'return' } },
    { target: { kind: 'mark', flip: mark, clear: 0 } },
    {
      comment: 'kubernetes service traffic requiring SNAT',
      target: { kind: 'masquerade' },
    },
  ]
}

function filterChains(node: NodePlan, family: Family): FilledChain[] {
  const refusedPorts = guards(node, family).map(
    (guard): Rule => ({
      ...guard,
      comment: 'node ports without endpoints',
      target: to('KUBE-EXTERNAL-PORTS'),
    }),
  )
  const unallocated = node.serviceRanges
    .filter((range) => range.family === family)
    .map(
      (value): Rule => ({
        destination: { value },
        comment: 'service range, no service has the address',
        target: { kind: 'drop' },
      }),
    )
  return [
    { table: 'filter', name: 'KUBE-SERVICES', rules: [] },
    { table: 'filter', name: 'KUBE-EXTERNAL-SERVICES', rules: [...refusedPorts, ...unallocated] },
    { table: 'filter', name: 'KUBE-EXTERNAL-PORTS', rules: [] },
    { table: 'filter', name: 'KUBE-PROXY-FIREWALL', rules: [] },
    { table: 'filter', name: 'KUBE-NODEPORTS', rules: [] },
    { table: 'filter', name: 'KUBE-FORWARD', rules: forwarding(node.masqueradeMark) },
  ]
}

/** For nodes that forward nothing by default. Packets that belong to no connection are dropped: a pod
 *  would answer them with a reset that ends the connection they were meant for. */
function forwarding(mark: number): readonly Rule[] {
  return [
    { matches: [{ kind: 'conntrack', states: ['INVALID'] }], target: { kind: 'drop' } },
    {
      matches: [{ kind: 'mark', mask: mark }],
      comment: 'kubernetes forwarding rules',
      target: { kind: 'accept' },
    },
    {
      matches: [{ kind: 'conntrack', states: ['RELATED', 'ESTABLISHED'] }],
      comment: 'kubernetes forwarding conntrack rule',
      target: { kind: 'accept' },
    },
  ]
}

const loopback: Readonly<Record<Family, Prefix>> = {
  4: { family: 4, address: '127.0.0.0', length: 8 },
  6: { family: 6, address: '::1', length: 128 },
}

/** Matches for packets to node-port addresses: the given ones, or every local one but loopback. */
function guards(node: NodePlan, family: Family): readonly Omit<Rule, 'target'>[] {
  if (node.nodePortAddresses === 'any-local') {
    return [
      {
        destination: { value: loopback[family], isNegated: true },
        matches: [{ kind: 'addrtype', side: 'dst' }],
      },
    ]
  }
  return node.nodePortAddresses
    .map(hostPrefix)
    .filter((prefix) => prefix.family === family)
    .map((value) => ({ destination: { value } }))
}
