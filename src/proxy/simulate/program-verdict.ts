import type { Flow } from '../../net/flow.ts'
import { formatBackend, type TracedVerdict, type Verdict } from '../port/verdict.ts'
import { MachineError } from './machine-error.ts'
import { type Journey, journeys } from './machine-hooks.ts'
import { indexProgram, type ProgramIndex, trailEntries } from './machine-thread.ts'
import type { ProgramView } from './program-view.ts'

/** The circumstances of a flow that are not in its headers. */
export interface ProgramVerdictOptions {
  /** A mark that others set before our rules; it must come out unchanged. Default 0. */
  readonly initialMark?: number
  /** `given`: affinity entries are those of the program view; `empty` (default): a new client. */
  readonly dynamicElements?: 'given' | 'empty'
}

/** What the kernel would do with a flow under a program, over everything that chance may choose.
 *  Throws MachineError when the kernel would refuse the program, when the packet's mark would not come
 *  out as it went in, or when chance decides about more than the backend. For many flows give an index
 *  instead of the program. */
export function programVerdict(
  program: ProgramView | ProgramIndex,
  flow: Flow,
  localAddresses: readonly string[],
  options: ProgramVerdictOptions = {},
): TracedVerdict {
  const ways = checkedJourneys(program, flow, localAddresses, options)
  const [first] = ways
  if (first === undefined) throw new MachineError('program', 'the flow has no way at all')
  return { verdict: verdictOf(ways), path: trailEntries(first.thread.trail) }
}

/** The probability of each backend (`address:port`) for a flow; empty when it is not balanced.
 *  Throws as programVerdict does. */
export function programShares(
  program: ProgramView | ProgramIndex,
  flow: Flow,
  localAddresses: readonly string[],
  options: ProgramVerdictOptions = {},
): ReadonlyMap<string, number> {
  const shares = new Map<string, number>()
  for (const way of checkedJourneys(program, flow, localAddresses, options)) {
    if (way.end !== 'passed' || !way.isRedirected) continue
    const backend = backendOf(way)
    shares.set(backend, (shares.get(backend) ?? 0) + way.share)
  }
  return shares
}

function checkedJourneys(
  program: ProgramView | ProgramIndex,
  flow: Flow,
  localAddresses: readonly string[],
  { initialMark = 0, dynamicElements = 'empty' }: ProgramVerdictOptions,
): Journey[] {
  const index = 'indexes' in program ? program : indexProgram(program)
  const ways = journeys(index, flow, { localAddresses, initialMark, dynamicElements })
  const kinds = new Set(ways.map(kindOf))
  if (kinds.size > 1) {
    throw new MachineError('program', `chance decides between ${[...kinds].sort().join(' and ')}`)
  }
  for (const way of ways) checkJourney(way, initialMark)
  return ways
}

function checkJourney(way: Journey, initialMark: number): void {
  // A packet for the node itself keeps the bit that asks for masquerade: only postrouting clears it.
  if (way.end !== 'passed' || way.isDelivered) return
  const fail = (message: string): never => {
    throw new MachineError(trailEntries(way.thread.trail).join(' > '), message)
  }
  if (way.thread.mark !== initialMark) {
    const [left, came] = [way.thread.mark, initialMark].map((mark) => `0x${mark.toString(16)}`)
    fail(`the packet came with mark ${came} and leaves with ${left}`)
  }
  if (way.isMasqueraded && !way.isRedirected) {
    fail('a flow that is no service’s is masqueraded')
  }
}

function kindOf(way: Journey): Verdict['kind'] {
  if (way.end !== 'passed') return way.end
  return way.isRedirected ? 'balance' : 'untouched'
}

function verdictOf(ways: readonly Journey[]): Verdict {
  const [first] = ways
  const kind = first === undefined ? 'untouched' : kindOf(first)
  if (first === undefined || kind !== 'balance')
    return kind === 'balance' ? { kind: 'drop' } : { kind }
  const backends = new Map<string, boolean>()
  const { timeoutMs } = first.thread
  for (const way of ways) {
    const backend = backendOf(way)
    if ((backends.get(backend) ?? way.isMasqueraded) !== way.isMasqueraded) {
      throw new MachineError(
        'program',
        `chance decides whether flows to ${backend} are masqueraded`,
      )
    }
    if (way.thread.timeoutMs !== timeoutMs) {
      throw new MachineError('program', `chance decides about the affinity of flows to ${backend}`)
    }
    backends.set(backend, way.isMasqueraded)
  }
  return { kind, backends, affinitySeconds: timeoutMs / 1000 }
}

function backendOf(way: Journey): string {
  return formatBackend(way.packet.destination, way.packet.destinationPort)
}
