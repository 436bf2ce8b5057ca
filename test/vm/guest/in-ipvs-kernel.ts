import { execFileSync } from 'node:child_process'
import type { IpvsOptions } from '../../../src/ipvs/ipvs-mechanism.ts'
import { type IpvsMechanism, openIpvsMechanism } from '../../../src/ipvs/ipvs-mechanism.ts'
import { resourceKey } from '../../../src/kube/resources.ts'
import { Planner } from '../../../src/proxy/plan/planner.ts'
import type { Plan } from '../../../src/proxy/port/mechanism.ts'
import { FakeClock } from '../../kube/fake-clock.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { parseCluster, planContext } from '../../support/plan-fixture.ts'

/** What a plan asks for, and who plans it. */
export interface IpvsCluster {
  readonly planner: Planner
  readonly plan: Plan
}

/** The node of these tests. */
export const nodeContext = planContext({ nodePortAddresses: ['192.168.0.1', 'fd00:50::1'] })

/** What a synchronisation reports that wrote nothing. */
export const nothingWritten = { transactions: 0, operations: 0, bytes: 0 }

/** Runs a test with a mechanism that has written what a cluster asks for, in a network namespace of its own. */
export async function inIpvsKernel(
  text: string,
  body: (mechanism: IpvsMechanism, cluster: IpvsCluster, clock: FakeClock) => Promise<void>,
  options: Partial<IpvsOptions> = {},
): Promise<void> {
  await inFreshNamespace(async () => {
    const clock = new FakeClock()
    const mechanism = openMechanism({ ...options, clock })
    try {
      const cluster = clusterOf(text)
      await mechanism.synchronize(cluster.plan)
      await body(mechanism, cluster, clock)
    } finally {
      mechanism.close()
    }
  })
}

/** Opens the mechanism as a start of the daemon does. */
export function openMechanism(options: Partial<IpvsOptions> = {}): IpvsMechanism {
  const timeouts = { tcp: 0, tcpFin: 0, udp: 0 }
  const common = { scheduler: '', excludeCidrs: [], isArpStrict: true, clock: new FakeClock() }
  return openIpvsMechanism({ ...common, timeouts, ...options })
}

/** Plans a cluster (`parseCluster`). */
export function clusterOf(text: string): IpvsCluster {
  const planner = new Planner(nodeContext)
  const { services, slices } = parseCluster(text)
  for (const service of services) planner.setService(resourceKey(service), service)
  for (const slice of slices) planner.setSlice(resourceKey(slice), slice)
  planner.takeChanges()
  return { planner, plan: { node: nodeContext.node, services: planner.services } }
}

/** Runs a program and gives its output. */
export function runProgram(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' })
}
