import type { PlanFollower } from './follow-plan.ts'
import type { ServicePlan } from './plan/plan.ts'

/** Numbers of service ports by the traffic policy that leaves them without an endpoint here. */
export interface NoLocalEndpoints {
  readonly internal: number
  readonly external: number
}

/** Counts service ports of a Local traffic policy that have no endpoint on this node, incrementally: a
 *  frontend of theirs drops instead of balancing. `report` gets the new numbers when they change. */
export function countNoLocalEndpoints(
  report: (family: 4 | 6, counts: NoLocalEndpoints) => void,
): PlanFollower {
  const totals = { 4: { internal: 0, external: 0 }, 6: { internal: 0, external: 0 } }
  const add = (plan: ServicePlan | undefined, sign: 1 | -1) => {
    for (const { family, policy } of droppingPorts(plan)) totals[family][policy] += sign
  }
  const tell = () => {
    report(4, totals[4])
    report(6, totals[6])
  }
  return {
    replaced(services) {
      for (const family of [4, 6] as const) totals[family] = { internal: 0, external: 0 }
      for (const plan of services.values()) add(plan, 1)
      tell()
    },
    changed(changes) {
      for (const { before, after } of changes) {
        add(before, -1)
        add(after, 1)
      }
      tell()
    },
  }
}

interface DroppingPort {
  readonly family: 4 | 6
  readonly policy: 'internal' | 'external'
}

/** Each service port once per family and policy, however many addresses it has. */
function droppingPorts(plan: ServicePlan | undefined): readonly DroppingPort[] {
  const ports = new Map<string, DroppingPort>()
  for (const frontend of plan?.frontends ?? []) {
    const policy = frontend.kind === 'cluster-ip' ? 'internal' : 'external'
    if (frontend.actions.outside.kind !== 'drop') continue
    const { family } = frontend
    ports.set(`${family} ${policy} ${frontend.protocol} ${frontend.portName}`, { family, policy })
  }
  return [...ports.values()]
}
