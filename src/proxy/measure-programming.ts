import type { EndpointSlice } from '../kube/resources.ts'
import type { Store } from '../kube/store.ts'

/** Annotation in which the endpoint slice controller notes when the pod or service changed (RFC 3339). */
const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'

/** Measures the time from a change in the cluster to the kernel (kubeproxy_network_programming_*).
 *  Listens to the store until the signal is aborted; `finish` is to be called after each successful
 *  synchronisation. Changes older than the start do not count: they waited for us to exist. */
export function measureProgramming(
  slices: Store<EndpointSlice>,
  now: () => number,
  observe: (seconds: number) => void,
  signal: AbortSignal,
): { finish(): void } {
  const startedMs = now()
  let pendingMs: number[] = []
  const unsubscribe = slices.subscribe(({ before, after }) => {
    const text = after?.annotations[triggerAnnotation]
    if (text === undefined || text === before?.annotations[triggerAnnotation]) return
    const triggeredMs = Date.parse(text)
    if (triggeredMs >= startedMs) pendingMs.push(triggeredMs)
  })
  signal.addEventListener('abort', unsubscribe, { once: true })
  return {
    finish() {
      if (pendingMs.length === 0) return
      const finishedMs = now()
      for (const triggeredMs of pendingMs) observe(Math.max(0, finishedMs - triggeredMs) / 1_000)
      pendingMs = []
    },
  }
}
