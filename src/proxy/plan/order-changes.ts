import { frontendKey, type PlanChange } from './plan.ts'

/** Orders changes so that a service that loses a frontend comes before the one that gets it, and who applies
 *  them one after the other never sees a frontend twice. Only where two services exchange frontends in one
 *  list is that not possible; then either may come first. Changes without such ties keep their order. */
export function orderChanges(changes: readonly PlanChange[]): PlanChange[] {
  const losers = new Map<string, PlanChange>()
  for (const change of changes) {
    const kept = new Set(change.after?.frontends.map(frontendKey))
    for (const frontend of change.before?.frontends ?? []) {
      const key = frontendKey(frontend)
      if (!kept.has(key)) losers.set(key, change)
    }
  }
  const ordered = new Set<PlanChange>()
  const visited = new Set<PlanChange>()
  const visit = (change: PlanChange): void => {
    if (visited.has(change)) return
    visited.add(change)
    for (const frontend of change.after?.frontends ?? []) {
      const loser = losers.get(frontendKey(frontend))
      if (loser !== undefined) visit(loser)
    }
    ordered.add(change)
  }
  for (const change of changes) visit(change)
  return [...ordered]
}
