import type { Action, Frontend, Pool, ServicePlan, SourceClass } from './plan.ts'

/** Whether two plans of a service ask for the same. */
export function plansEqual(left: ServicePlan, right: ServicePlan): boolean {
  return (
    left === right ||
    (left.service === right.service &&
      left.health?.port === right.health?.port &&
      left.health?.localEndpoints === right.health?.localEndpoints &&
      listsEqual(left.pools, right.pools, poolsEqual) &&
      listsEqual(left.frontends, right.frontends, frontendsEqual))
  )
}

/** Whether two frontends are of one service, one kind and have one address, protocol and port. */
export function sameFrontend(left: Frontend, right: Frontend): boolean {
  return (
    left.port === right.port &&
    left.address === right.address &&
    left.kind === right.kind &&
    left.protocol === right.protocol &&
    left.family === right.family &&
    left.service === right.service
  )
}

/** Whether two lists have equal elements in the same order. */
export function listsEqual<T>(
  left: readonly T[],
  right: readonly T[],
  areEqual: (left: T, right: T) => boolean,
): boolean {
  if (left === right) return true
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) {
    const one = left[index]
    const other = right[index]
    if (one === undefined || other === undefined || !areEqual(one, other)) return false
  }
  return true
}

function poolsEqual(left: Pool, right: Pool): boolean {
  return (
    left.key === right.key &&
    left.family === right.family &&
    left.protocol === right.protocol &&
    left.affinitySeconds === right.affinitySeconds &&
    (left.selection ?? 'ready') === (right.selection ?? 'ready') &&
    listsEqual(
      left.backends,
      right.backends,
      (one, other) =>
        one.address === other.address && one.port === other.port && one.isLocal === other.isLocal,
    )
  )
}

function frontendsEqual(left: Frontend, right: Frontend): boolean {
  return (
    sameFrontend(left, right) &&
    left.portName === right.portName &&
    sourcesEqual(left.sourceRanges, right.sourceRanges) &&
    listsEqual(
      left.servingAddresses ?? [],
      right.servingAddresses ?? [],
      (one, other) => one === other,
    ) &&
    sourceClasses.every((source) => actionsEqual(left.actions[source], right.actions[source]))
  )
}

const sourceClasses: readonly SourceClass[] = ['pod', 'node', 'outside']

/** Pools are named only: their content is compared once, in the list of pools. */
function actionsEqual(left: Action, right: Action): boolean {
  if (left.kind !== 'balance' || right.kind !== 'balance') return left.kind === right.kind
  return left.masquerade === right.masquerade && left.pool.key === right.pool.key
}

function sourcesEqual(left: Frontend['sourceRanges'], right: Frontend['sourceRanges']): boolean {
  if (left === undefined || right === undefined) return left === right
  return listsEqual(
    left,
    right,
    (one, other) =>
      one.address === other.address && one.length === other.length && one.family === other.family,
  )
}
