import { type EndpointSlice, resourceKey, type Service } from '../../src/kube/resources.ts'
import type { Planner } from '../../src/proxy/plan/planner.ts'
import type { ScenarioEvent } from './scenario.ts'

/** All Services and EndpointSlices that exist after a step, by `namespace/name`. */
export interface ClusterState {
  readonly services: Map<string, Service>
  readonly slices: Map<string, EndpointSlice>
}

/** A cluster without objects. */
export function emptyState(): ClusterState {
  return { services: new Map(), slices: new Map() }
}

/** Applies the events of a step to a state. */
export function applyEvents(state: ClusterState, events: readonly ScenarioEvent[]): void {
  for (const { type, object } of events) {
    const key = resourceKey(object)
    if (object.kind === 'Service') {
      if (type === 'set') state.services.set(key, object)
      else state.services.delete(key)
    } else if (type === 'set') state.slices.set(key, object)
    else state.slices.delete(key)
  }
}

/** Tells a planner about events, in their order. */
export function planEvents(planner: Planner, events: readonly ScenarioEvent[]): void {
  for (const { type, object } of events) {
    const key = resourceKey(object)
    if (object.kind === 'Service') {
      planner.setService(key, type === 'set' ? object : undefined)
    } else planner.setSlice(key, type === 'set' ? object : undefined)
  }
}

/** Tells a planner about a whole state. */
export function planState(planner: Planner, state: ClusterState): void {
  for (const [key, slice] of state.slices) planner.setSlice(key, slice)
  for (const [key, service] of state.services) planner.setService(key, service)
}

/** Identity of the object of an event. */
export function eventKey({ object }: ScenarioEvent): string {
  return `${object.kind} ${resourceKey(object)}`
}
