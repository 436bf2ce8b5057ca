import type { SyncReport } from './port/mechanism.ts'

/** One finished synchronisation, for logs and metrics. */
export interface Synchronization extends SyncReport {
  /** `full`: the kernel was read and compared (start, repair, syncPeriod); `update`: changed services only. */
  readonly kind: 'full' | 'update' | 'repair'
  readonly durationMs: number
  /** Services that had changed; all of them for a full one. */
  readonly services: number
  /** From the decoding of the oldest event of this synchronisation to the kernel's acknowledgement;
   *  undefined when no event led to it. */
  readonly eventToKernelMs: number | undefined
}

/** Who wants to know what the reconciler does. Calls are synchronous and must not throw. */
export interface ReconcilerObserver {
  /** A change arrived and waits (metrics: *_changes_pending, *_changes_total). */
  changed(kind: 'service' | 'endpointslice'): void
  synchronized(synchronization: Synchronization): void
  /** The kernel refused; the reconciler reads the kernel again after `retryMs`. */
  failed(error: Error, retryMs: number): void
  /** Somebody else changed objects of ours; a repair follows at once. */
  drifted(what: string): void
}
