import type { Family } from '../../net/address.ts'
import { hostPrefix } from '../../net/prefix.ts'
import type { Action, Frontend, NodePlan, Pool, ServicePlan, SourceClass } from '../plan/plan.ts'
import { formatBackend } from '../port/verdict.ts'
import { endpointChainName, portChainName, portTitle } from './chain-names.ts'
import { negated, podMatches } from './pod-matches.ts'
import type { FilledChain, Match, Rule, Target } from './rule.ts'

/** What may differ between variants. */
export interface RuleStyle {
  /** Whether the rule of each endpoint names its service and itself. A table of the legacy variant is copied
   *  whole at each change, and these comments are more than half of it; the service is named by the rule that
   *  leads to the chain. */
  readonly hasEndpointComments: boolean
}

/** The chains that only one service leads to: balance, entry for external addresses, source ranges,
 *  endpoints with affinity. Each stands before those that lead to it. */
export function compileService(
  plan: ServicePlan,
  node: NodePlan,
  family: Family,
  style: RuleStyle,
): readonly FilledChain[] {
  const chains = new Map<string, FilledChain>()
  const add = (name: string, rules: () => readonly Rule[]): void => {
    if (!chains.has(name)) chains.set(name, { table: 'nat', name, rules: rules() })
  }
  for (const frontend of plan.frontends) {
    if (frontend.family !== family || !isBalanced(frontend)) continue
    if (frontend.kind === 'cluster-ip') {
      // The rule that masquerades stands in the chain of the pool, so this one must be made first.
      const { pool } = balanceOf(frontend.actions.outside)
      add(poolChain(frontend, pool), () => [
        ...marks(frontend, node),
        ...shares(frontend, pool, style),
      ])
    } else {
      add(portChainName('EXT', frontend), () => entry(frontend, node))
      if (frontend.sourceRanges !== undefined) {
        add(portChainName('FW', frontend), () => admissions(frontend))
      }
    }
  }
  for (const frontend of plan.frontends) {
    if (frontend.family !== family) continue
    for (const pool of poolsOf(frontend)) {
      add(poolChain(frontend, pool), () => shares(frontend, pool, style))
      if (pool.affinitySeconds === 0) continue
      for (const { address, port } of pool.backends) {
        const name = endpointChainName(frontend, address, port)
        add(name, () => [remember(frontend, name, address, port)])
      }
    }
  }
  return [...chains.values()].sort((left, right) => rank(left.name) - rank(right.name))
}

/** Each kind of chain only leads to kinds before it. */
const kindOrder = ['KUBE-SEP', 'KUBE-SVL', 'KUBE-SVC', 'KUBE-EXT', 'KUBE-FW-']

function rank(name: string): number {
  return kindOrder.indexOf(name.slice(0, 8))
}

function poolsOf({ actions: { pod, node, outside } }: Frontend): ReadonlySet<Pool> {
  const pools = new Set<Pool>()
  for (const action of [pod, node, outside]) if (action.kind === 'balance') pools.add(action.pool)
  return pools
}

/** Whether any source gets to an endpoint. */
export function isBalanced({ actions }: Frontend): boolean {
  return Object.values(actions).some(({ kind }) => kind === 'balance')
}

/** The chain that a frontend's packets go to. The frontend must balance. */
export function entryChain(frontend: Frontend): string {
  if (frontend.kind === 'cluster-ip') {
    return poolChain(frontend, balanceOf(frontend.actions.outside).pool)
  }
  return portChainName(frontend.sourceRanges === undefined ? 'EXT' : 'FW', frontend)
}

/** The part of a rule that only packets to a frontend's own address and port match. */
export function frontendMatch(frontend: Frontend): Pick<Rule, 'destination' | 'protocol' | 'port'> {
  const { address, protocol, port } = frontend
  return address === undefined
    ? { protocol, port }
    : { destination: { value: hostPrefix(address) }, protocol, port }
}

type Balance = Extract<Action, { kind: 'balance' }>

function balanceOf(action: Action): Balance {
  if (action.kind === 'balance') return action
  throw new Error(`iptables: a cluster address balances for some sources only (${action.kind})`)
}

function poolChain(frontend: Frontend, pool: Pool): string {
  return portChainName(pool.key.endsWith(`/local/${pool.family}`) ? 'SVL' : 'SVC', frontend)
}

function jump(chain: string): Target {
  return { kind: 'jump', chain }
}

const marked = jump('KUBE-MARK-MASQ')

/** Masquerade for a cluster address: everybody, everybody but pods, or nobody. */
function marks(frontend: Frontend, node: NodePlan): readonly Rule[] {
  const { pod, outside } = frontend.actions
  if (balanceOf(outside).masquerade === 'hairpin') return []
  const rule = {
    ...frontendMatch(frontend),
    comment: `${portTitle(frontend)} cluster IP`,
    target: marked,
  }
  if (balanceOf(pod).masquerade === 'always') return [rule]
  const [match, ...more] = podMatches(node, frontend.family)
  if (match === undefined) return [rule]
  if (more.length > 0) return [{ ...rule, target: jump('KUBE-MARK-OTHERS') }]
  return [{ ...negated(match), ...rule }]
}

/** One rule per endpoint; each takes its part of what the rules before it left over. */
function shares(
  frontend: Frontend,
  pool: Pool,
  { hasEndpointComments }: RuleStyle,
): readonly Rule[] {
  const title = portTitle(frontend)
  const { protocol, backends, affinitySeconds } = pool
  const count = backends.length
  const recalls: Rule[] = []
  const draws = backends.map(({ address, port }, index): Rule => {
    const comment = `${title} -> ${formatBackend(address, port)}`
    const left = count - index
    const matches: readonly Match[] =
      left === 1 ? [] : [{ kind: 'statistic', share: Math.round(2 ** 31 / left) }]
    if (affinitySeconds === 0) {
      const rule: Rule = { protocol, matches, target: { kind: 'dnat', address, port } }
      return hasEndpointComments ? { ...rule, comment } : rule
    }
    const list = endpointChainName(frontend, address, port)
    const check: Match = { kind: 'recent-check', list, seconds: affinitySeconds }
    recalls.push({ matches: [check], comment, target: jump(list) })
    return { matches, comment, target: jump(list) }
  })
  return [...recalls, ...draws]
}

function remember(frontend: Frontend, list: string, address: string, port: number): Rule {
  return {
    protocol: frontend.protocol,
    matches: [{ kind: 'recent-set', list }],
    comment: portTitle(frontend),
    target: { kind: 'dnat', address, port },
  }
}

const isLocalSource: Match = { kind: 'addrtype', side: 'src' }

/** The way in for external addresses and node ports: what pods and the node get before what all others
 *  get, where they differ. Who is left over at the end of the chain is refused in the filter table. */
function entry(frontend: Frontend, node: NodePlan): readonly Rule[] {
  const title = portTitle(frontend)
  const { actions } = frontend
  const destinations = `${title} external destinations`
  const to = (source: SourceClass, match: Omit<Rule, 'target'>, who: string): readonly Rule[] => {
    const action = actions[source]
    if (action.kind !== 'balance') return []
    const { pool, masquerade } = action
    return [
      ...(masquerade === 'always'
        ? [{ ...match, comment: `masquerade ${who} for ${destinations}`, target: marked }]
        : []),
      {
        ...match,
        comment: `route ${who} for ${destinations}`,
        target: jump(poolChain(frontend, pool)),
      },
    ]
  }
  const pods = areEqual(actions.pod, actions.outside) ? [] : podMatches(node, frontend.family)
  return [
    ...pods.flatMap((match) => to('pod', match, 'pod traffic')),
    ...(areEqual(actions.node, actions.outside)
      ? []
      : to('node', { matches: [isLocalSource] }, 'LOCAL traffic')),
    ...to('outside', {}, 'traffic'),
  ]
}

function areEqual(left: Action, right: Action): boolean {
  if (left.kind !== 'balance' || right.kind !== 'balance') return left.kind === right.kind
  return left.pool.key === right.pool.key && left.masquerade === right.masquerade
}

function admissions(frontend: Frontend): readonly Rule[] {
  return (frontend.sourceRanges ?? []).map((value) => ({
    source: { value },
    comment: `${portTitle(frontend)} loadbalancer IP`,
    target: jump(portChainName('EXT', frontend)),
  }))
}
