import { compiledProgram } from '../../src/proxy/nftables/program.ts'
import type { Plan } from '../../src/proxy/port/mechanism.ts'
import { indexProgram } from '../../src/proxy/simulate/machine-thread.ts'
import { indexPlan, planVerdict } from '../../src/proxy/simulate/plan-verdict.ts'
import { programVerdict } from '../../src/proxy/simulate/program-verdict.ts'
import type { Simulation } from '../../src/proxy/simulate/simulation.ts'

/** Something of ours that must treat flows as the original does. */
export interface Subject {
  readonly name: string
  /** Makes the subject ready for the flows of one step. */
  load(plan: Plan): Simulation
}

/** What the plan says. */
export const planSubject: Subject = {
  name: 'plan',
  load: (plan) => {
    const index = indexPlan(plan)
    return { verdict: (flow, localAddresses) => planVerdict(index, flow, localAddresses) }
  },
}

/** What our nf_tables program, compiled from the plan, does in the kernel. */
export const programSubject: Subject = {
  name: 'nftables program',
  load: ({ node, services }) => {
    const program = indexProgram(compiledProgram(node, services.values()))
    return { verdict: (flow, localAddresses) => programVerdict(program, flow, localAddresses) }
  },
}
