import * as assert from 'uvu/assert'
import type { ServicePlan } from '../../src/proxy/plan/plan.ts'
import type { PlanContext } from '../../src/proxy/plan/plan-context.ts'
import { planService } from '../../src/proxy/plan/plan-service.ts'
import { formatPlan, parseCluster, planContext } from './plan-fixture.ts'

/** One case of planning: the first service of a cluster in the notation of `parseCluster`. */
export interface PlanRow {
  readonly title: string
  readonly cluster: string
  /** What `formatPlan` must give; empty: the service asks for nothing. */
  readonly plan: string
  readonly context?: PlanContext
}

/** The order of slices must never matter, so the row is planned with them in both. */
export function checkPlan({ cluster, plan, context }: PlanRow): void {
  const expected = plan.replaceAll(/\n +/g, '\n')
  assert.is(formatPlan(planFirst(cluster, context)), expected)
  const turned = cluster.split('\n').reverse().join('\n')
  assert.is(formatPlan(planFirst(turned, context)), expected)
}

/** The plan of the first service, with all slices as its own. */
export function planFirst(cluster: string, context = planContext()): ServicePlan {
  const { services, slices } = parseCluster(cluster)
  const [service] = services
  if (service === undefined) throw new Error(`fixture: no service in "${cluster}"`)
  return planService(service, slices, context)
}
