import { delay, systemClock } from '../kube/clock.ts'
import { ConntrackConnection } from '../netlink/conntrack.ts'
import type { Frontend } from '../proxy/plan/plan.ts'
import type { FrontendCounters } from '../proxy/port/frontend-counters.ts'
import { countTraffic } from '../proxy/traffic/count-traffic.ts'
import { frontendDestinations } from '../proxy/traffic/frontend-destinations.ts'
import { openConnections } from '../proxy/traffic/open-connections.ts'
import { usageError } from './cli-error.ts'
import type { LoadedCluster } from './load-cluster.ts'
import { chooseMechanism } from './open-mechanism.ts'
import { requireNetAdmin } from './require-net-admin.ts'
import type { CommandInput, CommandOption } from './subcommand.ts'

/** What clients send to one frontend. */
export interface FrontendTraffic {
  /** Connections that the kernel tracks now. */
  readonly open: number
  /** Since the frontend was written; undefined: the mechanism's objects do not count (those of ipvs do). */
  readonly total: CountedTraffic | undefined
  /** While the command looked; undefined without --traffic. */
  readonly during: CountedTraffic | undefined
}

/** Counters, as numbers that JSON has. */
export interface CountedTraffic {
  readonly connections: number
  readonly packets: number
  readonly bytes: number
}

/** Gives the traffic of a frontend. */
export type TrafficOf = (frontend: Frontend) => FrontendTraffic

/** The options that ask for traffic. */
export const trafficOptions: readonly CommandOption[] = [
  { name: 'counters', summary: 'open connections, and what the kernel has counted (ipvs)' },
  {
    name: 'traffic',
    value: 'SECONDS',
    summary: 'the same, and count connections, packets and bytes for this long',
  },
]

/** Longer looks would only hold a terminal; a scraper asks again. */
const longestSeconds = 3_600

/** Looks at the kernel, for as long as the options ask; undefined when they do not. Throws a usage error
 *  for a wrong duration. */
export async function readTraffic(
  input: CommandInput,
  { plan, cluster, localAddresses }: LoadedCluster,
  signal: AbortSignal,
): Promise<TrafficOf | undefined> {
  const seconds = readSeconds(input.texts.traffic)
  if (seconds === undefined && input.texts.counters !== 'true') return undefined
  requireNetAdmin()
  const during = byPlace(
    seconds === undefined
      ? undefined
      : await countTraffic(
          frontendDestinations(plan, localAddresses),
          delay(systemClock, seconds * 1_000, signal),
        ),
  )
  const { mechanism } = await chooseMechanism(cluster.options.configuration)
  const conntrack = ConntrackConnection.open()
  try {
    const total = byPlace(await mechanism.counters?.())
    const open = openConnections(conntrack)
    return (frontend) => {
      const places = (frontend.address === undefined ? localAddresses : [frontend.address]).map(
        (address) => `${frontend.protocol} ${address} ${frontend.port}`,
      )
      return {
        open: places.reduce((sum, place) => sum + (open.get(place) ?? 0), 0),
        total: total && sumCounters(total, places),
        during: during && sumCounters(during, places),
      }
    }
  } finally {
    mechanism.close()
    conntrack.close()
  }
}

function readSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds <= longestSeconds) return seconds
  throw usageError(
    `--traffic: got "${text}", expected seconds, more than 0, up to ${longestSeconds}`,
  )
}

type Counters = ReadonlyMap<string, FrontendCounters>

function byPlace(counters: readonly FrontendCounters[] | undefined): Counters | undefined {
  return (
    counters && new Map(counters.map((one) => [`${one.protocol} ${one.address} ${one.port}`, one]))
  )
}

function sumCounters(counters: Counters, places: readonly string[]): CountedTraffic {
  const found = places.flatMap((place) => counters.get(place) ?? [])
  const sum = (field: 'connections' | 'packets' | 'bytes') =>
    Number(found.reduce((total, one) => total + one[field], 0n))
  return { connections: sum('connections'), packets: sum('packets'), bytes: sum('bytes') }
}
