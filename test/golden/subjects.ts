import { compiledState } from '../../src/ipvs/compiled-state.ts'
import type { KernelState } from '../../src/ipvs/kernel-state.ts'
import { traceFlow } from '../../src/ipvs/trace-flow.ts'
import { formatProgram } from '../../src/proxy/iptables/format-program.ts'
import { compiledProgram } from '../../src/proxy/nftables/program.ts'
import type { Plan } from '../../src/proxy/port/mechanism.ts'
import { indexProgram } from '../../src/proxy/simulate/machine-thread.ts'
import { indexPlan, planVerdict } from '../../src/proxy/simulate/plan-verdict.ts'
import { programVerdict } from '../../src/proxy/simulate/program-verdict.ts'
import { simulateIptablesSave } from '../../src/proxy/simulate/simulate-iptables-save.ts'
import type { Simulation } from '../../src/proxy/simulate/simulation.ts'
import {
  compiledState as compiledUserspace,
  traceFlow as traceUserspace,
} from '../../src/proxy/userspace/trace-flow.ts'
import type { AcceptedDifference } from './accepted-differences.ts'
import { iptablesDifferences } from './iptables-differences.ts'
import { ipvsDifferences } from './ipvs-differences.ts'
import { userspaceDifferences } from './userspace-differences.ts'

/** Something of ours that must treat flows as the original does. */
export interface Subject {
  readonly name: string
  /** Accepted for this subject, besides those that are accepted for all. */
  readonly differences?: readonly AcceptedDifference[]
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

/** What our iptables program does, in the words that iptables-save would print. */
export const iptablesSubject: Subject = {
  name: 'iptables program',
  differences: iptablesDifferences,
  load: ({ node, services }) => {
    const load = (family: 4 | 6): Simulation =>
      simulateIptablesSave(formatProgram(family, node, services), `iptables program (IPv${family})`)
    const families = { 4: load(4), 6: load(6) }
    return {
      verdict: (flow, localAddresses) => families[flow.family].verdict(flow, localAddresses),
    }
  },
}

/** What our rules and virtual servers do in ipvs mode. Node ports are virtual servers of the node's addresses, so
 *  it is compiled anew where those differ. */
export const ipvsSubject: Subject = {
  name: 'ipvs program',
  differences: ipvsDifferences,
  load: (plan) => {
    const states = new Map<string, KernelState>()
    return {
      verdict: (flow, localAddresses) => {
        const key = localAddresses.join()
        const state = states.get(key) ?? compiledState(plan, localAddresses)
        states.set(key, state)
        return traceFlow(state, flow, localAddresses)
      },
    }
  },
}

/** What our rules and relays do in userspace mode. */
export const userspaceSubject: Subject = {
  name: 'userspace program',
  differences: userspaceDifferences,
  load: (plan) => {
    const state = compiledUserspace(plan)
    return { verdict: (flow, localAddresses) => traceUserspace(state, flow, localAddresses) }
  },
}
