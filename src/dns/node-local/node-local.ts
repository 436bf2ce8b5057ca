import { familyOf } from '../../net/address.ts'
import { HostAddresses } from '../../netlink/host-addresses.ts'
import { NftablesConnection } from '../../netlink/nftables/connection.ts'
import { RouteConnection } from '../../netlink/route.ts'
import { addUntrackedTable } from './untracked-table.ts'

/** Interface that has the addresses; NodeLocal DNSCache has the same name for its own. */
const interfaceName = 'nodelocaldns'

/** Addresses of this node that answer DNS. */
export interface NodeLocal {
  /** How they were made local, for logs. */
  readonly way: HostAddresses['way']
  /** Takes addresses and rules away again. */
  close(): void
}

/** Gives this machine DNS addresses of its own (169.254.20.10, and the service address of the cluster's DNS
 *  where pods shall need no change), whose queries are not tracked. An interface that an earlier run left
 *  is taken over. Throws a NetlinkError without CAP_NET_ADMIN, or while another process does the same. */
export function openNodeLocal(addresses: readonly string[], port: number): NodeLocal {
  const nftables = NftablesConnection.open()
  try {
    // Refused while another process has the table: its addresses stay then.
    writeTables(nftables, addresses, port)
  } catch (error) {
    nftables.close()
    throw error
  }
  const route = RouteConnection.open()
  const host = new HostAddresses(route, interfaceName)
  const close = (): void => {
    host.removeAll(addresses)
    route.close()
    nftables.close()
  }
  try {
    for (const address of host.present(addresses)) {
      if (!addresses.includes(address)) host.remove(address)
    }
    for (const address of addresses) host.add(address)
    return { way: host.way, close }
  } catch (error) {
    close()
    throw error
  }
}

function writeTables(
  nftables: NftablesConnection,
  addresses: readonly string[],
  port: number,
): void {
  const batch = nftables.newBatch()
  for (const family of [4, 6] as const) {
    const ofFamily = addresses.filter((address) => familyOf(address) === family)
    if (ofFamily.length === 0) continue
    addUntrackedTable(batch, family === 4 ? 'ip' : 'ip6', ofFamily, port)
  }
  nftables.commit(batch)
}
