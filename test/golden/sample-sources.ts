import { type Family, familyOf } from '../../src/net/address.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import type { PodDetector } from '../../src/proxy/plan/plan.ts'
import type { ClusterState } from './cluster-state.ts'
import { addressBehind, addressInside } from './neighbour-address.ts'
import { type Random, sample } from './random.ts'
import { serviceAddresses } from './sample-destinations.ts'
import type { Scenario } from './scenario.ts'

/** Where flows come from. */
export interface Source {
  /** For reports: `local pod`, `remote pod`, `node`, `outside`, ... */
  readonly title: string
  readonly address: string
  readonly origin: 'received' | 'local'
  readonly inputInterface: string | undefined
  /** Addresses that this node has besides its own in this case (a load balancer's address on lo). */
  readonly extraLocalAddresses: readonly string[]
}

/** Sources that every destination is tried with. */
export function commonSources(scenario: Scenario, state: ClusterState): readonly Source[] {
  const { localAddresses, nodes, clusterPrefixes, nodeName } = scenario
  const endpoints = new Set(allEndpoints(state).map(({ address }) => address))
  const sources: Source[] = []
  // One other node stands for all: nothing tells a service's rules from which of them a flow came.
  const here = nodes.filter(({ name }) => name === nodeName)
  const others = nodes.filter(({ name }) => name !== nodeName).slice(0, 1)
  for (const node of [...here, ...others]) {
    const isHere = node.name === nodeName
    for (const text of node.podCIDRs) {
      const prefix = parsePrefix(text)
      if (prefix === undefined) continue
      // The first free address, so that it is no backend of anything (a hairpin is a class of its own).
      let offset = 200
      while (endpoints.has(addressInside(prefix, offset))) offset++
      const address = addressInside(prefix, offset)
      sources.push(isHere ? pod('local pod', scenario, address) : received('remote pod', address))
    }
    if (isHere) continue
    for (const address of node.addresses) sources.push(received('other node', address))
  }
  for (const prefix of clusterPrefixes) {
    sources.push(received('remote pod of no node', addressInside(prefix, 0xfe01)))
  }
  for (const address of [...localAddresses, '127.0.0.1', '::1']) {
    sources.push({ ...received('node', address), origin: 'local', inputInterface: undefined })
  }
  sources.push(received('outside', '192.0.2.9'), received('outside', '2001:db8:ffff::9'))
  // An address that no pod has, through the interface of one, and the reverse.
  sources.push(pod('outside address from a pod', scenario, '192.0.2.10'))
  sources.push(pod('outside address from a pod', scenario, '2001:db8:ffff::a'))
  return sources
}

/** Sources that only matter to the destinations of one service: its own endpoints, and hosts inside,
 *  at the edge of and outside its source ranges. */
export function serviceSources(
  scenario: Scenario,
  state: ClusterState,
  serviceKey: string,
  random: Random,
): readonly Source[] {
  const service = state.services.get(serviceKey)
  const own = allEndpoints(state).filter((endpoint) => endpoint.service === serviceKey)
  const here = own.filter(({ node }) => node === scenario.nodeName)
  const there = own.filter(({ node }) => node !== scenario.nodeName)
  const sources: Source[] = []
  for (const family of [4, 6] as const) {
    for (const { address } of sample(inFamily(here, family), 2, random)) {
      sources.push(pod('hairpin pod', scenario, address))
    }
    for (const { address } of sample(inFamily(there, family), 1, random)) {
      sources.push(received('remote hairpin pod', address))
    }
  }
  for (const text of service?.loadBalancerSourceRanges ?? []) {
    const prefix = parsePrefix(text)
    if (prefix === undefined) continue
    const isEverything = prefix.length === 0
    const inside = isEverything ? addressInside(prefix, 0x08080808) : addressInside(prefix, 1)
    sources.push(received('inside a source range', inside))
    if (!isEverything) sources.push(received('behind a source range', addressBehind(prefix)))
  }
  if (service === undefined || service.loadBalancerSourceRanges.length === 0) return sources
  for (const address of serviceAddresses(service)) {
    if (service.clusterIPs.includes(address)) continue
    sources.push({
      title: 'node with the load balancer address',
      address,
      origin: 'local',
      inputInterface: undefined,
      extraLocalAddresses: [address],
    })
  }
  return sources
}

function received(title: string, address: string): Source {
  return { title, address, origin: 'received', inputInterface: 'eth0', extraLocalAddresses: [] }
}

function pod(title: string, scenario: Scenario, address: string): Source {
  const inputInterface = podInterface(scenario.context.node.podDetector)
  return { title, address, origin: 'received', inputInterface, extraLocalAddresses: [] }
}

/** The name of an interface that pods of this node are behind. */
function podInterface(detector: PodDetector): string {
  if (detector.kind !== 'interface') return 'veth1a2b3c4d'
  return detector.match === 'exact' ? detector.name : `${detector.name}1a2b3c4d`
}

interface KnownEndpoint {
  readonly service: string
  readonly address: string
  readonly node: string
}

function allEndpoints(state: ClusterState): readonly KnownEndpoint[] {
  return [...state.slices.values()].flatMap((slice) =>
    slice.endpoints.map(({ address, state: { nodeName } }) => ({
      service: `${slice.namespace}/${slice.serviceName}`,
      address,
      node: nodeName,
    })),
  )
}

function inFamily(endpoints: readonly KnownEndpoint[], family: Family): readonly KnownEndpoint[] {
  return endpoints.filter(({ address }) => familyOf(address) === family)
}
