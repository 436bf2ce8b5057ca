import fc from 'fast-check'
import { type EndpointSlice, resourceKey, type Service } from '../../src/kube/resources.ts'
import {
  type Frontend,
  type FrontendKind,
  frontendKey,
  type NodeIdentity,
  type ServicePlan,
} from '../../src/proxy/plan/plan.ts'
import type { PlanContext } from '../../src/proxy/plan/plan-context.ts'
import { planService } from '../../src/proxy/plan/plan-service.ts'
import type { Planner } from '../../src/proxy/plan/planner.ts'
import { parseCluster, planContext } from './plan-fixture.ts'

/** What can happen to a planner; `take` asks it for its changes. */
export type ClusterEvent =
  | { readonly kind: 'service'; readonly key: string; readonly service: Service | undefined }
  | { readonly kind: 'slice'; readonly key: string; readonly slice: EndpointSlice | undefined }
  | { readonly kind: 'identity'; readonly identity: NodeIdentity }
  | { readonly kind: 'take' }

const serviceNames = ['a/x', 'a/y', 'b/x', 'c/z'] as const
const sliceNames = ['a/s1', 'a/s2', 'a/s3', 'b/s1', 'c/s1'] as const

const service = fc
  .record({
    title: fc.constantFrom(...serviceNames),
    clusterIPs: fc.constantFrom('10.96.0.1', '10.96.0.2', '10.96.0.2 fd00:10::2', ''),
    ports: fc.constantFrom(
      'p:80/TCP',
      'p:80/TCP/30080',
      'p:80/TCP q:53/UDP/30080',
      'p:80/UDP/30080',
    ),
    type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer', 'LoadBalancer', 'ExternalName'),
    etp: fc.constantFrom('Cluster', 'Local'),
    itp: fc.constantFrom('Cluster', 'Cluster', 'Local'),
    /** Few addresses, so that services compete for them, with cluster addresses among them. */
    addresses: fc.constantFrom(
      '',
      'ext=198.18.0.1',
      'ext=198.18.0.1,10.96.0.1',
      'lb=198.18.0.1 from=192.168.0.0/24',
      'lb=198.18.0.1,fd00:9::1 ext=198.18.0.2,fd00:9::1',
    ),
    more: fc.constantFrom(
      '',
      'affinity=60',
      'health=32000',
      'label=service.kubernetes.io/headless',
    ),
  })
  .map(({ title, clusterIPs, ports, type, etp, itp, addresses, more }) => {
    const text = `service ${title} ${clusterIPs} ${ports} type=${type} etp=${etp} itp=${itp} ${addresses} ${more}`
    return parseCluster(text.trim().replaceAll(/ +/g, ' ')).services[0]
  })

const endpoint = fc
  .record({
    address: fc.constantFrom('10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4'),
    node: fc.constantFrom('', '@n1', '@n2'),
    state: fc.constantFrom('', '', 'unready', 'terminating', 'dying', 'published'),
    hints: fc.constantFrom('', 'zones=a', 'zones=b', 'zones=a,b nodes=n1', 'zones=b nodes=n2'),
  })
  .map(({ address, node, state, hints }) => `${address}${node} ${state} ${hints}`)

const slice = fc
  .record({
    title: fc.constantFrom(...sliceNames),
    of: fc.constantFrom('x', 'x', 'y', 'z'),
    ports: fc.constantFrom('p:8080/TCP', 'p:8080/TCP q:53/UDP', 'p:8080/UDP p:9090/TCP', 'q:-/UDP'),
    endpoints: fc.array(endpoint, { maxLength: 4 }),
  })
  .map(({ title, of, ports, endpoints }) => {
    const text = [`slice ${title} of ${of} ${ports}`, ...endpoints].join('|')
    return parseCluster(text.replaceAll(/ +/g, ' ').replaceAll(/ (?=\||$)/g, '')).slices[0]
  })

const serviceEvent = service.map((value): ClusterEvent => {
  if (value === undefined) throw new Error('fixture: no service')
  return { kind: 'service', key: resourceKey(value), service: value }
})

const sliceEvent = slice.map((value): ClusterEvent => {
  if (value === undefined) throw new Error('fixture: no slice')
  return { kind: 'slice', key: resourceKey(value), slice: value }
})

const deletion = fc.oneof(
  fc
    .constantFrom(...serviceNames)
    .map((key): ClusterEvent => ({ kind: 'service', key, service: undefined })),
  fc
    .constantFrom(...sliceNames)
    .map((key): ClusterEvent => ({ kind: 'slice', key, slice: undefined })),
)

const identity = fc
  .record({ nodeName: fc.constantFrom('n1', 'n2', ''), zone: fc.constantFrom('a', 'b', '') })
  .map(
    (change): ClusterEvent => ({
      kind: 'identity',
      identity: { ...planContext().identity, ...change },
    }),
  )

/** Sequences of events over four services and five slices that share names, addresses and node ports. */
export const clusterEvents: fc.Arbitrary<readonly ClusterEvent[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: serviceEvent },
    { weight: 8, arbitrary: sliceEvent },
    { weight: 3, arbitrary: deletion },
    { weight: 1, arbitrary: identity },
    { weight: 6, arbitrary: fc.constant<ClusterEvent>({ kind: 'take' }) },
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
)

/** Gives an event to a planner and to the plain maps that a plan from scratch is made of. */
export function applyEvent(
  event: ClusterEvent,
  planner: Planner,
  services: Map<string, Service>,
  slices: Map<string, EndpointSlice>,
): void {
  if (event.kind === 'service') {
    planner.setService(event.key, event.service)
    if (event.service === undefined) services.delete(event.key)
    else services.set(event.key, event.service)
  } else if (event.kind === 'slice') {
    planner.setSlice(event.key, event.slice)
    if (event.slice === undefined) slices.delete(event.key)
    else slices.set(event.key, event.slice)
  }
}

/** The plan of a whole cluster by brute force: each service alone, then every frontend that a better one
 *  of the same key beats is taken away. */
export function planAll(
  services: ReadonlyMap<string, Service>,
  slices: ReadonlyMap<string, EndpointSlice>,
  context: PlanContext,
): ReadonlyMap<string, ServicePlan> {
  const alone = [...services.values()].map((each) => {
    const own = [...slices.values()].filter(
      ({ namespace, serviceName }) => namespace === each.namespace && serviceName === each.name,
    )
    return planService(each, own, context)
  })
  const all = alone.flatMap(({ frontends }) => frontends)
  const plans = alone.map((plan): ServicePlan => {
    const frontends = plan.frontends.filter((mine) => !all.some((other) => beats(other, mine)))
    const names = JSON.stringify(frontends)
    return { ...plan, frontends, pools: plan.pools.filter(({ key }) => names.includes(`"${key}"`)) }
  })
  const some = plans.filter(({ frontends, health }) => frontends.length > 0 || health !== undefined)
  return new Map(some.map((plan) => [plan.service, plan]))
}

const kindOrder: readonly FrontendKind[] = [
  'cluster-ip',
  'load-balancer',
  'external-ip',
  'node-port',
]

function beats(other: Frontend, mine: Frontend): boolean {
  if (frontendKey(other) !== frontendKey(mine) || other.service === mine.service) return false
  const difference = kindOrder.indexOf(other.kind) - kindOrder.indexOf(mine.kind)
  return difference === 0 ? other.service < mine.service : difference < 0
}
