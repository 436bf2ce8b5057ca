import type { ConntrackConnection } from '../netlink/conntrack.ts'
import { cleanConntrack, staleFlows } from './conntrack.ts'
import type { PlanFollower } from './follow-plan.ts'
import type { NodePlan } from './plan/plan.ts'

/** Who deletes what. */
export interface ConntrackFollowerParts {
  readonly connection: Pick<ConntrackConnection, 'forEachFlow' | 'deleteFlows'>
  /** Where node ports answer now. */
  readonly node: () => Pick<NodePlan, 'nodePortAddresses'>
  /** So many tracked UDP flows were ended because their endpoint is gone. */
  readonly deleted: (flows: number) => void
  /** The flows could not be looked at; they end when they have been silent for long enough. */
  readonly failed: (error: Error) => void
}

/** After each change in the kernel, ends the tracked UDP flows that would go on to endpoints that are gone.
 *  UDP has no end of its own: a client that keeps sending would never reach another endpoint. */
export function conntrackFollower(parts: ConntrackFollowerParts): PlanFollower {
  const follow = (changes: Parameters<PlanFollower['changed']>[0]): void => {
    try {
      const stale = staleFlows(changes, parts.node())
      if (stale.length === 0) return
      const deleted = cleanConntrack(parts.connection, stale)
      if (deleted > 0) parts.deleted(deleted)
    } catch (error) {
      parts.failed(error instanceof Error ? error : new Error(String(error)))
    }
  }
  return {
    replaced: (services) =>
      follow([...services].map(([service, after]) => ({ service, before: undefined, after }))),
    changed: follow,
  }
}
