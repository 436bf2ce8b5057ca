import type { Flow } from '../../net/flow.ts'
import type { TracedVerdict } from '../port/verdict.ts'

/** Something that can be asked what it does with a flow: a plan, a program, a recorded rule set. */
export interface Simulation {
  /** `localAddresses` are the node's own, without loopback, which is always its own. */
  verdict(flow: Flow, localAddresses: readonly string[]): TracedVerdict
}
