import type { PlanChange, ServicePlan } from './plan/plan.ts'
import type { Mechanism, Plan } from './port/mechanism.ts'

/** Who follows the plans that have reached the kernel. Calls must not throw. */
export interface PlanFollower {
  /** Everything there is. */
  replaced(services: ReadonlyMap<string, ServicePlan>): void
  /** What changed. */
  changed(changes: readonly PlanChange[]): void
}

/** The same mechanism; after each success the follower is told what is now in the kernel. */
export function followPlan(mechanism: Mechanism, follower: PlanFollower): Mechanism {
  return {
    name: mechanism.name,
    async synchronize(plan: Plan) {
      const report = await mechanism.synchronize(plan)
      follower.replaced(plan.services)
      return report
    },
    async update(changes: readonly PlanChange[]) {
      const report = await mechanism.update(changes)
      follower.changed(changes)
      return report
    },
    compare: (plan) => mechanism.compare(plan),
    trace: (flow, localAddresses) => mechanism.trace(flow, localAddresses),
    watchDrift: (onDrift, signal) => mechanism.watchDrift(onDrift, signal),
    cleanup: () => mechanism.cleanup(),
    close: () => mechanism.close(),
  }
}
