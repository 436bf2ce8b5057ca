import type { EndpointSlice, Service } from '../../kube/resources.ts'
import { FrontendClaims } from './frontend-claims.ts'
import { orderChanges } from './order-changes.ts'
import type { NodeIdentity, PlanChange, ServicePlan } from './plan.ts'
import type { PlanContext } from './plan-context.ts'
import { listsEqual, plansEqual } from './plan-equality.ts'
import { planService } from './plan-service.ts'

interface Entry {
  service: Service | undefined
  /** In order of arrival; may be there before the service and after it. */
  slices: readonly EndpointSlice[]
  /** What the service alone asks for, before conflicts with others are decided. Where there are none it is
   *  the same object as the published plan. */
  own: ServicePlan | undefined
}

/** Keeps the plan of every service up to date. Objects come in any order; `takeChanges` then does work for
 *  the services that they touch, and for those that compete with these for an address and port, only. */
export class Planner {
  #context: PlanContext
  readonly #entries = new Map<string, Entry>()
  readonly #slices = new Map<string, EndpointSlice>()
  readonly #claims = new FrontendClaims()
  readonly #published = new Map<string, ServicePlan>()
  #dirty = new Set<string>()

  constructor(context: PlanContext) {
    this.#context = context
  }

  /** The plans as of the last `takeChanges`, by `namespace/name`. Services that ask for nothing are not in
   *  it. The map is live: it changes with the next `takeChanges`. */
  get services(): ReadonlyMap<string, ServicePlan> {
    return this.#published
  }

  /** Sets or (undefined) removes a service; `key` is `namespace/name`. */
  setService(key: string, service: Service | undefined): void {
    const entry = this.#entries.get(key)
    if (entry?.service === service) return
    if (entry !== undefined) entry.service = service
    else this.#entries.set(key, { service, slices: [], own: undefined })
    this.#dirty.add(key)
  }

  /** Sets or (undefined) removes a slice; `key` is its own `namespace/name`. A slice may change its service. */
  setSlice(key: string, slice: EndpointSlice | undefined): void {
    const before = this.#slices.get(key)
    if (before === slice) return
    if (before !== undefined) this.#detach(before)
    if (slice === undefined) this.#slices.delete(key)
    else {
      this.#slices.set(key, slice)
      this.#attach(slice)
    }
  }

  /** Name, zone or main addresses of this node changed: everything is planned anew. */
  setIdentity(identity: NodeIdentity): void {
    if (sameIdentity(this.#context.identity, identity)) return
    this.#context = { ...this.#context, identity }
    for (const key of this.#entries.keys()) this.#dirty.add(key)
  }

  /** What changed since the last call, each service once. A service whose plan came out equal is not in it.
   *  Where a frontend goes from one service to another, the one that loses it comes first, unless two
   *  services exchange frontends: who must be safe then takes all removals of a list before its additions. */
  takeChanges(): PlanChange[] {
    const touched = this.#dirty
    if (touched.size === 0) return []
    this.#dirty = new Set()
    const affected = new Set<string>()
    for (const key of touched) this.#replan(key, affected)
    for (const key of affected) touched.add(key)
    const changes: PlanChange[] = []
    for (const key of touched) this.#publish(key, changes)
    // Where no claim met another one, no frontend can go from one service to another in the wrong order.
    return affected.size === 0 ? changes : orderChanges(changes)
  }

  #attach(slice: EndpointSlice): void {
    if (slice.serviceName === '') return
    const key = ownerKey(slice)
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      this.#entries.set(key, { service: undefined, slices: [slice], own: undefined })
      return
    }
    entry.slices = [...entry.slices, slice]
    this.#dirty.add(key)
  }

  #detach(slice: EndpointSlice): void {
    const key = ownerKey(slice)
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.slices = entry.slices.filter((other) => other !== slice)
    this.#dirty.add(key)
  }

  #replan(key: string, affected: Set<string>): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    const { service, slices, own } = entry
    const plan = service && nonEmpty(planService(service, slices, this.#context))
    this.#claims.replace(own?.frontends ?? [], plan?.frontends ?? [], affected)
    // The old objects stay when nothing changed, so that later comparisons end at once.
    entry.own = own && plan && plansEqual(own, plan) ? own : plan
    if (service === undefined && slices.length === 0) this.#entries.delete(key)
  }

  #publish(service: string, changes: PlanChange[]): void {
    const own = this.#entries.get(service)?.own
    const before = this.#published.get(service)
    const after = own && nonEmpty(this.#claims.resolve(own))
    if (before === undefined && after === undefined) return
    if (before !== undefined && after !== undefined && plansEqual(before, after)) return
    if (after === undefined) this.#published.delete(service)
    else this.#published.set(service, after)
    changes.push({ service, before, after })
  }
}

function ownerKey(slice: EndpointSlice): string {
  return `${slice.namespace}/${slice.serviceName}`
}

function nonEmpty(plan: ServicePlan): ServicePlan | undefined {
  return plan.frontends.length === 0 && plan.health === undefined ? undefined : plan
}

function sameIdentity(left: NodeIdentity, right: NodeIdentity): boolean {
  return (
    left.nodeName === right.nodeName &&
    left.zone === right.zone &&
    listsEqual(left.addresses, right.addresses, (one, other) => one === other)
  )
}
