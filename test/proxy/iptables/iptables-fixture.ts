import { resourceKey } from '../../../src/kube/resources.ts'
import type { PlanContext } from '../../../src/proxy/plan/plan-context.ts'
import { Planner } from '../../../src/proxy/plan/planner.ts'
import type { Plan } from '../../../src/proxy/port/mechanism.ts'
import { parseCluster, planContext } from '../../support/plan-fixture.ts'

/** One service of every kind. */
export const everyKind = `
  service web 10.96.0.10 fd00:10::10 http:80/TCP/30080 type=LoadBalancer lb=198.18.0.1 etp=Local from=10.0.0.0/8,192.168.0.1/32
  slice web-4 of web http:8080/TCP | 10.1.0.4@n1 | 10.1.1.7@n2 | 10.1.1.8@n2
  slice web-6 of web http:8080/TCP | fd00:1::4@n1 | fd00:1:0:1::7@n2
  service sticky 10.96.0.11 main:53/UDP affinity=600
  slice sticky-1 of sticky main:53/UDP | 10.1.0.5@n1 | 10.1.1.9@n2
  service empty 10.96.0.12 p:9/SCTP/30009 type=NodePort
  service far 10.96.1.13 fd00:10::1:13 p:443/TCP/30443 type=LoadBalancer lb=198.18.0.2,2001:db8::2 etp=Local
  slice far-4 of far p:8443/TCP | 10.1.1.9@n2
  slice far-6 of far p:8443/TCP | fd00:1:0:1::9@n2
`

/** A cluster that can change, and its plan on node n1. */
export interface Cluster {
  readonly planner: Planner
  readonly plan: Plan
}

/** Plans a cluster in the notation of parseCluster. */
export function clusterOf(
  text: string,
  context: PlanContext = planContext({ serviceRanges: [] }),
): Cluster {
  const planner = new Planner(context)
  const { services, slices } = parseCluster(text)
  for (const service of services) planner.setService(resourceKey(service), service)
  for (const slice of slices) planner.setSlice(resourceKey(slice), slice)
  planner.takeChanges()
  return { planner, plan: { node: context.node, services: planner.services } }
}
