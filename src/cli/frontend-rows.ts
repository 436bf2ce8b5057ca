import { formatPrefix } from '../net/prefix.ts'
import type { Action, Frontend, SourceClass } from '../proxy/plan/plan.ts'
import type { Plan } from '../proxy/port/mechanism.ts'
import { formatBackend } from '../proxy/port/verdict.ts'
import { formatTable } from './format-table.ts'
import type { CountedTraffic, FrontendTraffic, TrafficOf } from './frontend-traffic.ts'

/** One frontend, as people and programs read it. */
export interface FrontendRow {
  readonly service: string
  readonly port: string
  readonly kind: string
  /** `10.96.0.1:443`, or `*:30080` for a node port. */
  readonly frontend: string
  readonly family: 4 | 6
  readonly protocol: string
  /** What happens to flows, by who sends them. */
  readonly actions: Readonly<Record<SourceClass, ActionRow>>
  readonly sourceRanges: readonly string[] | undefined
  /** Why the mode refuses what the plan balances; undefined: it does not. */
  readonly limit: string | undefined
  /** Where it is served on this machine in portable mode; undefined: no table was given, or it has none. */
  readonly place: string | undefined
  /** Undefined: not asked for. */
  readonly traffic: FrontendTraffic | undefined
}

/** An action without the plan's shared objects. */
export interface ActionRow {
  readonly kind: Action['kind']
  readonly backends: readonly string[]
  readonly masquerade: 'always' | 'hairpin' | undefined
  readonly affinitySeconds: number
}

/** What is known of frontends beside the plan. */
export interface FrontendFacts {
  readonly trafficOf?: TrafficOf | undefined
  readonly limitOf?: (frontend: Frontend) => string | undefined
  readonly placeOf?: (frontend: Frontend) => string | undefined
}

/** All frontends of a plan, by service, then in the plan's order. */
export function frontendRows(
  plan: Pick<Plan, 'services'>,
  facts: FrontendFacts = {},
): readonly FrontendRow[] {
  const services = [...plan.services.values()].sort((left, right) =>
    left.service < right.service ? -1 : 1,
  )
  return services.flatMap((service) =>
    service.frontends.map((frontend) => frontendRow(frontend, facts)),
  )
}

/** The rows as a table. A frontend whose sources are treated differently has one line for each. */
export function formatFrontends(rows: readonly FrontendRow[]): string {
  if (rows.length === 0) return 'no frontends: no service asks for anything on this node\n'
  const lines = rows.flatMap((row) =>
    groupSources(row).map(([sources, action], index) => [
      index === 0 ? row.service : '',
      index === 0 ? row.port : '',
      index === 0 ? row.kind : '',
      index === 0 ? `${row.frontend}/${row.protocol}` : '',
      sources,
      ...(row.traffic === undefined ? [] : formatTraffic(index === 0 ? row.traffic : undefined)),
      formatAction(action, row),
    ]),
  )
  const counted = rows[0]?.traffic === undefined ? [] : ['open', 'counted', 'now']
  return formatTable(['service', 'port', 'kind', 'frontend', 'from', ...counted, 'action'], lines)
}

function formatTraffic(traffic: FrontendTraffic | undefined): readonly string[] {
  if (traffic === undefined) return ['', '', '']
  const words = (counted: CountedTraffic | undefined): string =>
    counted === undefined
      ? '-'
      : `${counted.connections} conn ${counted.packets} pkt ${counted.bytes} B`
  return [`${traffic.open}`, words(traffic.total), words(traffic.during)]
}

function frontendRow(frontend: Frontend, facts: FrontendFacts): FrontendRow {
  const { address, port, actions } = frontend
  return {
    service: frontend.service,
    port: frontend.portName,
    kind: frontend.kind,
    frontend: formatBackend(address ?? '*', port),
    family: frontend.family,
    protocol: frontend.protocol,
    actions: {
      pod: actionRow(actions.pod),
      node: actionRow(actions.node),
      outside: actionRow(actions.outside),
    },
    sourceRanges: frontend.sourceRanges?.map(formatPrefix),
    limit: facts.limitOf?.(frontend),
    place: facts.placeOf?.(frontend),
    traffic: facts.trafficOf?.(frontend),
  }
}

function actionRow(action: Action): ActionRow {
  if (action.kind !== 'balance') {
    return { kind: action.kind, backends: [], masquerade: undefined, affinitySeconds: 0 }
  }
  return {
    kind: 'balance',
    backends: action.pool.backends.map(({ address, port }) => formatBackend(address, port)),
    masquerade: action.masquerade,
    affinitySeconds: action.pool.affinitySeconds,
  }
}

function groupSources(row: FrontendRow): [string, ActionRow][] {
  const groups = new Map<string, [string[], ActionRow]>()
  for (const source of ['pod', 'node', 'outside'] as const) {
    const action = row.actions[source]
    const key = JSON.stringify(action)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [[source], action])
    else group[0].push(source)
  }
  return [...groups.values()].map(([sources, action]) => [
    sources.length === 3 ? 'any' : sources.join('+'),
    action,
  ])
}

/** Longer lists are cut: a table is for people, `--output json` has everything. */
const shownBackends = 4

function formatAction(
  action: ActionRow,
  { limit, place, sourceRanges }: Pick<FrontendRow, 'limit' | 'place' | 'sourceRanges'>,
): string {
  if (action.kind !== 'balance') return action.kind
  if (limit !== undefined) return `reject: ${limit}`
  const { backends } = action
  const more = backends.length - shownBackends
  const words = [backends.slice(0, shownBackends).join(' ')]
  if (more > 0) words.push(`and ${more} more`)
  if (action.masquerade === 'always') words.push('masqueraded')
  if (action.affinitySeconds > 0) words.push(`sticky ${action.affinitySeconds}s`)
  if (place !== undefined) words.push(`at ${place} on this machine`)
  if (sourceRanges !== undefined) words.push(`only from ${sourceRanges.join(' ')}`)
  return words.join(' ')
}
