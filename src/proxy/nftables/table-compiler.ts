import type { ByteString } from '../../net/byte-string.ts'
import type { SetElement } from '../../netlink/nftables/objects.ts'
import { diffElements, type ElementMap, type ElementSink } from '../../ruleset/element-sink.ts'
import type { Pool, ServicePlan } from '../plan/plan.ts'
import type { FamilyLayout } from './family-layout.ts'
import { forEachFrontendElement } from './frontend-elements.ts'
import { firstServicePool } from './kinds.ts'
import {
  compilePool,
  diffPool,
  forEachPoolElement,
  isSticky,
  type PoolElements,
} from './pool-elements.ts'
import { backendValue, hairpinKey } from './wire-keys.ts'

/** A pool and the endpoints of it that run on this node. */
interface CompiledPool {
  readonly elements: PoolElements
  readonly hairpins: readonly ByteString[]
}

const noHairpins: readonly ByteString[] = []

/** Compiles the services of one family into elements of its table. It remembers what cannot be derived
 *  from the plan: the numbers of pools, the slots of their backends, and how many pools share a hairpin
 *  element. */
export class TableCompiler {
  readonly layout: FamilyLayout
  readonly #pools = new Map<string, CompiledPool>()
  readonly #hairpins = new Map<ByteString, number>()
  /** Pools of an earlier run, by key, until the plan asks for them. */
  readonly #adopted = new Map<string, PoolElements>()
  #nextNumber = firstServicePool

  constructor(layout: FamilyLayout) {
    this.layout = layout
  }

  /** Takes over numbers and slots of pools that the kernel has. Pools compiled already keep theirs. */
  adopt(pools: Iterable<PoolElements>): void {
    for (const pool of pools) {
      this.#nextNumber = Math.max(this.#nextNumber, pool.number + 1)
      if (pool.comment === undefined || this.#pools.has(pool.comment)) continue
      this.#adopted.set(pool.comment, pool)
    }
  }

  /** Ends the time in which adopted pools wait for their service. */
  forgetAdopted(): void {
    this.#adopted.clear()
  }

  /** Compiles one service; the differences from what was compiled of it before go to the sink.
   *  `before` must be the plan that was given last for this service. */
  update(before: ServicePlan | undefined, after: ServicePlan | undefined, sink: ElementSink): void {
    const elementsBefore = before === undefined ? undefined : this.#frontendElements(before)
    const outgoing = this.updatePools(before, after, sink)
    const elementsAfter = after === undefined ? undefined : this.#frontendElements(after)
    const sets = new Set([...(elementsBefore?.keys() ?? []), ...(elementsAfter?.keys() ?? [])])
    for (const set of sets) {
      diffElements(set, elementsBefore?.get(set), elementsAfter?.get(set), sink)
    }
    for (const pool of outgoing) diffPool(pool, undefined, sink)
  }

  /** The same for the service's pools only; returns those whose elements have to go after the frontends
   *  that lead to them. */
  updatePools(
    before: ServicePlan | undefined,
    after: ServicePlan | undefined,
    sink: ElementSink,
  ): readonly PoolElements[] {
    const outgoing: PoolElements[] = []
    for (const pool of after?.pools ?? []) {
      if (pool.family !== this.layout.family) continue
      const previous = this.#pools.get(pool.key)
      const next = this.#compile(pool, previous?.elements ?? this.#takeAdopted(pool.key))
      this.#pools.set(pool.key, next)
      this.#diffHairpins(previous?.hairpins ?? noHairpins, next.hairpins, sink)
      if (previous === undefined || previous.elements.number === next.elements.number) {
        diffPool(previous?.elements, next.elements, sink)
      } else {
        diffPool(undefined, next.elements, sink)
        outgoing.push(previous.elements)
      }
    }
    for (const pool of before?.pools ?? []) {
      if (pool.family !== this.layout.family) continue
      if (after?.pools.some(({ key }) => key === pool.key)) continue
      const gone = this.#pools.get(pool.key)
      if (gone === undefined) continue
      this.#pools.delete(pool.key)
      this.#diffHairpins(gone.hairpins, noHairpins, sink)
      outgoing.push(gone.elements)
    }
    return outgoing
  }

  /** Number of a compiled pool. */
  readonly numberOf = (pool: Pool): number => {
    const compiled = this.#pools.get(pool.key)
    if (compiled === undefined) throw new Error(`pool ${pool.key} is in no plan that was compiled`)
    return compiled.elements.number
  };

  /** Compiled pools. */
  *pools(): Generator<PoolElements> {
    for (const pool of this.#pools.values()) yield pool.elements
  }

  /** Calls back for every element of these compiled services; elements that services share come once
   *  for each of them, except those of pools and hairpins. */
  forEachElement(
    services: Iterable<ServicePlan>,
    visit: (set: string, element: SetElement) => void,
  ): void {
    for (const pool of this.#pools.values()) forEachPoolElement(pool.elements, visit)
    this.forEachOtherElement(services, visit)
  }

  /** The same without the elements of pools. */
  forEachOtherElement(
    services: Iterable<ServicePlan>,
    visit: (set: string, element: SetElement) => void,
  ): void {
    for (const plan of services) forEachFrontendElement(this.layout, plan, this.numberOf, visit)
    for (const key of this.#hairpins.keys()) visit('hairpin', { key })
  }

  #takeAdopted(key: string): PoolElements | undefined {
    const adopted = this.#adopted.get(key)
    this.#adopted.delete(key)
    return adopted
  }

  #compile(pool: Pool, previous: PoolElements | undefined): CompiledPool {
    // A pool that gains or loses affinity gets a new number, so that no flow meets half of each form.
    const isKept = previous !== undefined && isSticky(previous) === pool.affinitySeconds > 0
    const number = isKept ? previous.number : this.#nextNumber++
    const elements = compilePool(pool, number, previous)
    const local = pool.backends.filter((backend) => backend.isLocal)
    const hairpins = local.map((backend) =>
      hairpinKey(backendValue(backend.address, backend.port), pool.protocol),
    )
    return { elements, hairpins: hairpins.length === 0 ? noHairpins : hairpins }
  }

  #frontendElements(plan: ServicePlan): Map<string, ElementMap> {
    const sets = new Map<string, Map<ByteString, SetElement>>()
    forEachFrontendElement(this.layout, plan, this.numberOf, (set, element) => {
      let elements = sets.get(set)
      if (elements === undefined) {
        elements = new Map()
        sets.set(set, elements)
      }
      elements.set(element.key, element)
    })
    return sets
  }

  #diffHairpins(
    before: readonly ByteString[],
    after: readonly ByteString[],
    sink: ElementSink,
  ): void {
    for (const key of before) {
      if (after.includes(key)) continue
      const count = (this.#hairpins.get(key) ?? 1) - 1
      if (count > 0) this.#hairpins.set(key, count)
      else {
        this.#hairpins.delete(key)
        sink.remove('hairpin', { key })
      }
    }
    for (const key of after) {
      if (before.includes(key)) continue
      const count = this.#hairpins.get(key) ?? 0
      this.#hairpins.set(key, count + 1)
      if (count === 0) sink.add('hairpin', { key })
    }
  }
}
