import { familyOf } from '../../src/net/address.ts'
import type { Flow } from '../../src/net/flow.ts'
import type { ClusterState } from './cluster-state.ts'
import { type Random, sample } from './random.ts'
import { type Destination, destinationKey, sampleDestinations } from './sample-destinations.ts'
import { commonSources, type Source, serviceSources } from './sample-sources.ts'
import type { Scenario } from './scenario.ts'

/** A flow with what a report says about it. */
export interface SampledFlow {
  readonly flow: Flow
  readonly source: Source
  readonly destination: Destination
  readonly localAddresses: readonly string[]
}

/** Sources that a neighbour of a service address is tried with; the address itself gets all. */
const neighbourSourceCount = 4

/** The flows of one step. `remembered` keeps the destinations of earlier steps, so that what a removed
 *  service left behind is asked for too; it is added to. The same random numbers give the same flows. */
export function sampleFlows(
  scenario: Scenario,
  state: ClusterState,
  remembered: Map<string, Destination>,
  random: Random,
): readonly SampledFlow[] {
  const destinations = sampleDestinations(scenario, state, random)
  const present = new Set(destinations.map(destinationKey))
  const gone = [...remembered].filter(([key]) => !present.has(key)).map(([, value]) => value)
  for (const destination of destinations) {
    if (destination.isExact) remembered.set(destinationKey(destination), destination)
  }
  const common = commonSources(scenario, state)
  const ownSources = new Map<string, readonly Source[]>()
  const flows: SampledFlow[] = []
  for (const destination of [...destinations, ...gone]) {
    const own =
      ownSources.get(destination.service) ??
      serviceSources(scenario, state, destination.service, random)
    ownSources.set(destination.service, own)
    const family = familyOf(destination.address)
    const sources = [...common, ...own].filter(({ address }) => familyOf(address) === family)
    const chosen =
      destination.isExact && present.has(destinationKey(destination))
        ? sources
        : sample(sources, neighbourSourceCount, random)
    for (const source of chosen) {
      if (isPossible(source, destination)) flows.push(toFlow(scenario, source, destination, random))
    }
  }
  return flows
}

/** The kernel drops packets with a loopback address that come from outside (martians) before any rule
 *  can see them, and a loopback source cannot leave the node. */
function isPossible(source: Source, destination: Destination): boolean {
  if (isLoopback(destination.address)) return source.origin === 'local'
  return !isLoopback(source.address)
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

function toFlow(
  scenario: Scenario,
  source: Source,
  destination: Destination,
  random: Random,
): SampledFlow {
  const { inputInterface } = source
  const flow: Flow = {
    family: familyOf(destination.address),
    protocol: destination.protocol,
    source: source.address,
    sourcePort: 32_768 + Math.floor(random() * 28_232),
    destination: destination.address,
    destinationPort: destination.port,
    origin: source.origin,
    ...(inputInterface === undefined ? {} : { inputInterface }),
  }
  const { extraLocalAddresses } = source
  const localAddresses =
    extraLocalAddresses.length === 0
      ? scenario.localAddresses
      : [...scenario.localAddresses, ...extraLocalAddresses]
  return { flow, source, destination, localAddresses }
}
