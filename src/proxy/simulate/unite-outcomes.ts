import { formatBackend, type TracedVerdict } from '../port/verdict.ts'
import type { Outcome } from './packet-walk.ts'

/** One verdict for all branches of a walk. Branches that do not agree in kind give a balance verdict
 *  that names the odd ones as backends ("drop", "reject", "untouched"): no plan is equal to it, and a
 *  reader sees why. A mix of affinity timeouts gives -1. The path is that of the first branch. */
export function uniteOutcomes(outcomes: readonly Outcome[]): TracedVerdict {
  const path = outcomes[0]?.path ?? []
  const kinds = new Set(outcomes.map(kindOf))
  if (kinds.size === 1) {
    if (kinds.has('drop')) return { verdict: { kind: 'drop' }, path }
    if (kinds.has('reject')) return { verdict: { kind: 'reject' }, path }
    if (kinds.has('untouched')) return { verdict: { kind: 'untouched' }, path: [] }
  }
  const backends = new Map<string, boolean>()
  const timeouts = new Set<number>()
  for (const outcome of outcomes) {
    const kind = kindOf(outcome)
    if (kind !== 'balance') {
      backends.set(kind, false)
      continue
    }
    const { packet } = outcome
    timeouts.add(packet.affinitySeconds)
    const backend = formatBackend(packet.destination, packet.destinationPort)
    const known = backends.get(backend)
    if (known !== undefined && known !== packet.isMasqueraded) {
      backends.set(`${backend} with and without masquerade`, true)
    }
    backends.set(backend, packet.isMasqueraded)
  }
  const [first = 0] = timeouts
  const affinitySeconds = timeouts.size > 1 ? -1 : first
  return { verdict: { kind: 'balance', backends, affinitySeconds }, path }
}

function kindOf(outcome: Outcome): 'drop' | 'reject' | 'untouched' | 'balance' {
  if (outcome.kind !== 'pass') return outcome.kind
  return outcome.packet.isDnat ? 'balance' : 'untouched'
}
