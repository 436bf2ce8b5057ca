import type { EndpointSlice, Service } from '../../src/kube/resources.ts'
import { formatBackend } from '../../src/proxy/port/verdict.ts'
import type { ClusterState } from './cluster-state.ts'
import { serviceAddresses } from './sample-destinations.ts'
import type { SampledFlow } from './sample-flows.ts'

/** A service port that a flow's destination belongs to. */
export interface Hit {
  readonly service: Service
  readonly portName: string
  readonly isNodePort: boolean
}

/** Services whose addresses have this flow's destination address, port and protocol. */
export function addressHits(state: ClusterState, { flow }: SampledFlow): readonly Hit[] {
  return hits(state, (service) =>
    serviceAddresses(service).includes(flow.destination)
      ? service.ports.filter(
          ({ port, protocol }) => port === flow.destinationPort && protocol === flow.protocol,
        )
      : [],
  ).map((hit) => ({ ...hit, isNodePort: false }))
}

/** Services with this flow's destination port and protocol as a node port, whatever the address. */
export function nodePortHits(state: ClusterState, { flow }: SampledFlow): readonly Hit[] {
  return hits(state, ({ ports }) =>
    ports.filter(
      ({ nodePort, protocol }) => nodePort === flow.destinationPort && protocol === flow.protocol,
    ),
  ).map((hit) => ({ ...hit, isNodePort: true }))
}

/** Whether an address is a cluster address of some service. */
export function isClusterAddress(state: ClusterState, address: string): boolean {
  return [...state.services.values()].some(({ clusterIPs }) => clusterIPs.includes(address))
}

/** Backends (`address:port`) of a service port that several slices hold with different conditions or
 *  nodes: which of them counts is not defined. Those that terminate never win, so they do not count. */
export function ambiguousBackends(state: ClusterState, hit: Hit): ReadonlySet<string> {
  const seen = new Map<string, Set<string>>()
  const owner = `${hit.service.namespace}/${hit.service.name}`
  for (const slice of state.slices.values()) {
    if (`${slice.namespace}/${slice.serviceName}` === owner) collect(slice, hit.portName, seen)
  }
  return new Set([...seen].filter(([, forms]) => forms.size > 1).map(([backend]) => backend))
}

function collect(slice: EndpointSlice, portName: string, seen: Map<string, Set<string>>): void {
  for (const { name, port } of slice.ports) {
    if (name !== portName || port === undefined) continue
    for (const { address, state } of slice.endpoints) {
      const { isReady, isServing, isTerminating, nodeName, zone, hintedZones, hintedNodes } = state
      if (isTerminating) continue
      const backend = formatBackend(address, port)
      const form = JSON.stringify([isReady, isServing, nodeName, zone, hintedZones, hintedNodes])
      seen.set(backend, (seen.get(backend) ?? new Set()).add(form))
    }
  }
}

function hits(
  state: ClusterState,
  select: (service: Service) => readonly { readonly name: string }[],
): readonly Omit<Hit, 'isNodePort'>[] {
  return [...state.services.values()].flatMap((service) =>
    select(service).map(({ name }) => ({ service, portName: name })),
  )
}
