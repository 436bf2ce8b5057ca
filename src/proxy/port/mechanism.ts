import type { Flow } from '../../net/flow.ts'
import type { NodePlan, PlanChange, ServicePlan } from '../plan/plan.ts'
import type { FrontendCounters } from './frontend-counters.ts'
import type { TracedVerdict } from './verdict.ts'

/** The whole desired state of this node. */
export interface Plan {
  readonly node: NodePlan
  readonly services: ReadonlyMap<string, ServicePlan>
}

/** What one synchronisation wrote to the kernel. */
export interface SyncReport {
  /** Kernel transactions; 0: nothing had to be written. */
  readonly transactions: number
  /** Objects added, replaced or deleted. */
  readonly operations: number
  /** Bytes handed to the kernel. */
  readonly bytes: number
}

/** One difference between the kernel and the plan, for people. */
export interface Difference {
  readonly kind: 'missing' | 'unexpected' | 'changed'
  /** What and where, in the mechanism's own words. */
  readonly object: string
}

/** A way to bring a plan into the kernel. */
export interface Mechanism {
  readonly name: string
  /** How it writes, where there are several ways; for logs. */
  readonly way?: string
  /** Reads the kernel and writes only what differs from the plan; the only full path there is. */
  synchronize(plan: Plan): Promise<SyncReport>
  /** Writes what the changed services ask for; the last plan given is the base. */
  update(changes: readonly PlanChange[]): Promise<SyncReport>
  /** Compares the kernel with the plan and writes nothing. */
  compare(plan: Plan): Promise<readonly Difference[]>
  /** What the kernel's present state does with a flow. `localAddresses` are the node's own; `plan` is asked for
   *  what this mechanism does not keep in the kernel. */
  trace(flow: Flow, localAddresses: readonly string[], plan?: Plan): Promise<TracedVerdict>
  /** What the kernel has counted since the frontends were written; undefined: this mechanism's objects do
   *  not count. */
  counters?(): Promise<readonly FrontendCounters[]>
  /** Calls back when somebody else changed what is ours; ends with the signal. */
  watchDrift(onDrift: (what: string) => void, signal: AbortSignal): void
  /** Only for mechanisms that keep connections themselves: leaves new flows to another mechanism, which is
   *  complete. Resolves when no open connection needs what is there, after a time that is long enough, or
   *  with the signal; `cleanup` may follow. */
  drain?(signal: AbortSignal): Promise<void>
  /** Removes everything that is ours, and nothing else. */
  cleanup(): Promise<SyncReport>
  close(): void
}
