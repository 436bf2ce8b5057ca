import type { Verdict } from '../../src/proxy/port/verdict.ts'
import type { SampledFlow } from './sample-flows.ts'

/** Whether two verdicts are the same: kind, set of backends, masquerade of each, affinity. */
export function verdictsEqual(left: Verdict, right: Verdict): boolean {
  if (left.kind !== 'balance' || right.kind !== 'balance') return left.kind === right.kind
  if (left.affinitySeconds !== right.affinitySeconds) return false
  if (left.backends.size !== right.backends.size) return false
  for (const [backend, isMasqueraded] of left.backends) {
    if (right.backends.get(backend) !== isMasqueraded) return false
  }
  return true
}

/** `balance 10.1.0.4:80 10.1.0.5:80+masquerade affinity 60s`, backends sorted. */
export function formatVerdict(verdict: Verdict): string {
  if (verdict.kind !== 'balance') return verdict.kind
  const backends = [...verdict.backends]
    .map(([backend, isMasqueraded]) => (isMasqueraded ? `${backend}+masquerade` : backend))
    .sort()
  const affinity = verdict.affinitySeconds === 0 ? '' : ` affinity ${verdict.affinitySeconds}s`
  return `balance ${backends.join(' ')}${affinity}`
}

/** `TCP 10.1.0.4:40000 -> 10.96.0.1:80 (local pod, received veth1)`. */
export function formatFlow({ flow, source }: SampledFlow): string {
  const end = (address: string, port: number): string =>
    address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  const from = end(flow.source, flow.sourcePort)
  const to = end(flow.destination, flow.destinationPort)
  const way = flow.origin === 'local' ? 'sent by the node' : `received from ${flow.inputInterface}`
  return `${flow.protocol} ${from} -> ${to} (${source.title}, ${way})`
}
