import { isDeepStrictEqual } from 'node:util'
import { frontendKey, type ServicePlan } from '../../src/proxy/plan/plan.ts'
import type { PlanContext } from '../../src/proxy/plan/plan-context.ts'
import { Planner } from '../../src/proxy/plan/planner.ts'
import { type ClusterState, eventKey, planEvents, planState } from './cluster-state.ts'
import { type Random, shuffleKeepingOrder } from './random.ts'
import type { ScenarioEvent } from './scenario.ts'

/** The plans of one step, made in four ways that must agree. */
export interface PlannedStep {
  readonly services: ReadonlyMap<string, ServicePlan>
  /** Comparisons made, and those that failed in words. */
  readonly comparisonCount: number
  readonly faults: readonly string[]
}

/** Plans a scenario step by step: with the events in their order, with the events shuffled, from scratch,
 *  and by adding up the changes that the first planner reports. */
export class PlanTrack {
  readonly #context: PlanContext
  readonly #ordered: Planner
  readonly #shuffled: Planner
  readonly #summed = new Map<string, ServicePlan>()

  constructor(context: PlanContext) {
    this.#context = context
    this.#ordered = new Planner(context)
    this.#shuffled = new Planner(context)
  }

  /** `state` is the cluster after the events. */
  step(events: readonly ScenarioEvent[], state: ClusterState, random: Random): PlannedStep {
    planEvents(this.#ordered, events)
    for (const { service, after } of this.#ordered.takeChanges()) {
      if (after === undefined) this.#summed.delete(service)
      else this.#summed.set(service, after)
    }
    for (const event of shuffleKeepingOrder(events, eventKey, random)) {
      planEvents(this.#shuffled, [event])
      // Taking changes in between must not matter either; half of the time is enough to show it.
      if (random() < 0.5) this.#shuffled.takeChanges()
    }
    this.#shuffled.takeChanges()
    const scratch = new Planner(this.#context)
    planState(scratch, state)
    scratch.takeChanges()
    const services = this.#ordered.services
    const faults = [
      ...differences('shuffled events', services, this.#shuffled.services),
      ...differences('planned from scratch', services, scratch.services),
      ...differences('sum of changes', services, this.#summed),
    ]
    return { services, comparisonCount: 3, faults }
  }
}

function differences(
  title: string,
  left: ReadonlyMap<string, ServicePlan>,
  right: ReadonlyMap<string, ServicePlan>,
): readonly string[] {
  const keys = new Set([...left.keys(), ...right.keys()])
  const wrong = [...keys].filter(
    (key) => !isDeepStrictEqual(normalized(left.get(key)), normalized(right.get(key))),
  )
  return wrong.length === 0 ? [] : [`${title}: other plans for ${wrong.sort().join(', ')}`]
}

/** The order of frontends and pools means nothing. */
function normalized(plan: ServicePlan | undefined): unknown {
  if (plan === undefined) return undefined
  return {
    ...plan,
    frontends: [...plan.frontends].sort((a, b) => compareTexts(frontendKey(a), frontendKey(b))),
    pools: [...plan.pools].sort((a, b) => compareTexts(a.key, b.key)),
  }
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
