import { NftablesConnection } from '../../netlink/nftables/connection.ts'
import type { TableFamily } from '../../netlink/nftables/objects.ts'
import { frontendKey } from '../../ruleset/element-keys.ts'
import type { FrontendCounters } from '../port/frontend-counters.ts'
import type { FrontendDestination } from './frontend-destinations.ts'
import { trafficHooks, trafficRules, trafficSet, trafficTable } from './traffic-table.ts'

/** Counts what clients send to these destinations until `ended` is settled, whatever mechanism serves
 *  them, in a table of its own. The kernel removes the table with the socket, however the process ends.
 *  Rejects with a NetlinkError without CAP_NET_ADMIN, or when another process counts already. */
export async function countTraffic(
  destinations: readonly FrontendDestination[],
  ended: Promise<void>,
): Promise<readonly FrontendCounters[]> {
  const connection = NftablesConnection.open()
  try {
    const tables = (['ip', 'ip6'] as const)
      .map((family) => ({ family, keys: keysOf(destinations, family) }))
      .filter(({ keys }) => keys.size > 0)
    for (const { family, keys } of tables) writeTable(connection, family, [...keys.keys()])
    await ended
    return tables.flatMap(({ family, keys }) => readTable(connection, family, keys))
  } finally {
    connection.close()
  }
}

type Keys = ReadonlyMap<string, FrontendDestination>

function keysOf(destinations: readonly FrontendDestination[], family: TableFamily): Keys {
  return new Map(
    destinations
      .filter((destination) => (destination.family === 4 ? 'ip' : 'ip6') === family)
      .map((destination) => {
        const { address, protocol, port } = destination
        return [frontendKey(address, protocol, port), destination]
      }),
  )
}

function writeTable(
  connection: NftablesConnection,
  family: TableFamily,
  keys: readonly string[],
): void {
  const batch = connection.newBatch()
  batch.addTable({ family, name: trafficTable, endsWithSocket: true })
  for (const name of ['packets', 'connections'] as const) {
    const set = trafficSet(family, name)
    batch.addSet(family, trafficTable, set)
    for (const key of keys) batch.addElement(family, trafficTable, set, key)
  }
  for (const { chain, hook } of trafficHooks) {
    batch.addChain(family, trafficTable, { name: chain, hook })
    for (const expressions of trafficRules(family, chain)) {
      batch.addRule(family, trafficTable, { chain, expressions })
    }
  }
  connection.commit(batch)
}

function readTable(
  connection: NftablesConnection,
  family: TableFamily,
  keys: Keys,
): readonly FrontendCounters[] {
  const connections = new Map<string, bigint>()
  connection.forEachElement(family, trafficTable, 'connections', (key, _value, _comment, rest) => {
    connections.set(key, rest?.counted?.packets ?? 0n)
  })
  const counters: FrontendCounters[] = []
  connection.forEachElement(family, trafficTable, 'packets', (key, _value, _comment, rest) => {
    const destination = keys.get(key)
    if (destination === undefined || rest?.counted === undefined) return
    const { protocol, address, port } = destination
    const { packets, bytes } = rest.counted
    counters.push({
      protocol,
      address,
      port,
      connections: connections.get(key) ?? 0n,
      packets,
      bytes,
    })
  })
  return counters
}
