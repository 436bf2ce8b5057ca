import type { Service, ServicePort } from '../../src/kube/resources.ts'
import { type Family, familyOf } from '../../src/net/address.ts'
import { type Protocol, protocols } from '../../src/net/protocol.ts'
import type { ClusterState } from './cluster-state.ts'
import { addressInside, neighbourAddress } from './neighbour-address.ts'
import { type Random, sample } from './random.ts'
import type { Scenario } from './scenario.ts'

/** Where flows go. `isExact`: a service has (or had) this very address, protocol and port. */
export interface Destination {
  readonly address: string
  readonly protocol: Protocol
  readonly port: number
  readonly isExact: boolean
  /** `namespace/name` of the service that it was taken from. */
  readonly service: string
}

/** Every address and port of every service, node ports on every address of this node, on loopback and
 *  on another node, and neighbours of all: other ports, other protocols, addresses nearby. */
export function sampleDestinations(
  scenario: Scenario,
  state: ClusterState,
  random: Random,
): readonly Destination[] {
  const found = new Map<string, Destination>()
  const add = (destination: Destination): void => {
    if (destination.port < 1 || destination.port > 65_535) return
    const key = destinationKey(destination)
    if (destination.isExact || !found.has(key)) found.set(key, destination)
  }
  for (const service of state.services.values()) {
    const name = `${service.namespace}/${service.name}`
    for (const port of service.ports) {
      for (const address of serviceAddresses(service)) {
        addWithNeighbours(add, name, address, port.protocol, port.port, random)
      }
      if (port.nodePort === 0) continue
      for (const address of nodePortTargets(scenario)) {
        addWithNeighbours(add, name, address, port.protocol, port.nodePort, random)
      }
    }
    addHealthPort(add, scenario, service, name)
  }
  addUnallocated(add, scenario, random)
  return [...found.values()]
}

/** Identity of a destination. */
export function destinationKey({ address, protocol, port }: Destination): string {
  return `${protocol} ${address} ${port}`
}

/** Canonical addresses that a service answers on, whatever its type says about them. */
export function serviceAddresses(service: Service): readonly string[] {
  return [
    ...service.clusterIPs,
    ...service.externalIPs,
    ...service.loadBalancerIngress.map(({ ip }) => ip),
  ]
}

const loopback: Readonly<Record<Family, string>> = { 4: '127.0.0.1', 6: '::1' }

function nodePortTargets(scenario: Scenario): readonly string[] {
  const others = scenario.nodes
    .filter(({ name }) => name !== scenario.nodeName)
    .slice(0, 1)
    .flatMap(({ addresses }) => addresses)
  return [...scenario.localAddresses, loopback[4], loopback[6], ...others]
}

function addWithNeighbours(
  add: (destination: Destination) => void,
  service: string,
  address: string,
  protocol: ServicePort['protocol'],
  port: number,
  random: Random,
): void {
  add({ service, address, protocol, port, isExact: true })
  const near = { service, address, protocol, port, isExact: false }
  const neighbours: Destination[] = [
    { ...near, port: port + 1 },
    { ...near, port: port - 1 },
    ...protocols
      .filter((other) => other !== protocol)
      .map((other) => ({ ...near, protocol: other })),
    { ...near, address: neighbourAddress(address, 1) },
    { ...near, address: neighbourAddress(address, -1) },
  ]
  for (const neighbour of sample(neighbours, 2, random)) add(neighbour)
}

function addHealthPort(
  add: (destination: Destination) => void,
  scenario: Scenario,
  service: Service,
  name: string,
): void {
  if (service.healthCheckNodePort === 0) return
  const [address] = scenario.localAddresses
  if (address === undefined) return
  const port = service.healthCheckNodePort
  add({ service: name, address, protocol: 'TCP', port, isExact: true })
}

/** Addresses of the service ranges that hardly any service has, and others that have nothing to do with
 *  services at all. */
function addUnallocated(
  add: (destination: Destination) => void,
  scenario: Scenario,
  random: Random,
): void {
  const offsets = [0, 1 + Math.floor(random() * 60_000)]
  const addresses = [
    ...scenario.servicePrefixes.flatMap((prefix) => offsets.map((n) => addressInside(prefix, n))),
    ...scenario.clusterPrefixes.map((prefix) => addressInside(prefix, offsets[1] ?? 1)),
    '192.0.2.80',
    '2001:db8:ffff::80',
  ]
  for (const address of addresses) {
    const protocol = sample(protocols, 1, random)[0] ?? 'TCP'
    add({ service: '', address, protocol, port: 80, isExact: false })
  }
}

/** Destinations of one family. */
export function ofFamily(
  destinations: readonly Destination[],
  family: Family,
): readonly Destination[] {
  return destinations.filter(({ address }) => familyOf(address) === family)
}
