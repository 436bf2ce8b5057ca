import { readAddress } from '../../net/address.ts'
import { fromByteString } from '../../net/byte-string.ts'
import { protocolOfNumber } from '../../net/protocol.ts'
import type { ConntrackConnection } from '../../netlink/conntrack.ts'

/** How many connections the kernel tracks to each destination, as the clients named it: by
 *  `${protocol} ${address} ${port}`. Other destinations than frontends are in it too. */
export function openConnections(
  conntrack: Pick<ConntrackConnection, 'forEachFlow'>,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const family of [4, 6] as const) {
    conntrack.forEachFlow({ family }, ({ original }) => {
      const protocol = protocolOfNumber(original.protocol)
      if (protocol === undefined) return
      const address = readAddress(fromByteString(original.destination), 0, family)
      const name = `${protocol} ${address} ${original.destinationPort}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    })
  }
  return counts
}
