import type { Plan } from '../proxy/port/mechanism.ts'
import { filterTable } from './filter-rules.ts'
import { IpvsProgram } from './ipvs-program.ts'
import type { KernelState } from './kernel-state.ts'
import { ShortCutMarks } from './short-cut-marks.ts'

/** The state that the kernel has once a plan is written, for `traceFlow`. `ownAddresses` are the node's. */
export function compiledState(plan: Plan, ownAddresses: readonly string[]): KernelState {
  const { node, services } = plan
  const own = ownAddresses.filter((address) => !address.startsWith('127.') && address !== '::1')
  const program = new IpvsProgram({
    scheduler: 'rr',
    nodePortAddresses: node.nodePortAddresses === 'any-local' ? own : node.nodePortAddresses,
    ownAddresses: new Set(own),
    marks: new ShortCutMarks(node.masqueradeMark),
  })
  program.update([...services.values()].map((after) => ({ before: undefined, after })))
  return {
    filters: new Map(
      node.families.map((family) => {
        const elements = program.elements(family)
        return [family, { structure: filterTable(family, node), elements }] as const
      }),
    ),
    servers: new Map(program.servers()),
    addresses: new Set(program.addresses()),
    marks: new Set(),
  }
}
