import { IpvsConnection } from '../../ipvs/ipvs-connection.ts'
import { interfaceName } from '../../ipvs/service-addresses.ts'
import type { VirtualServerKey } from '../../ipvs/virtual-server.ts'
import { RouteConnection } from '../../netlink/route.ts'

/** Removes the interface that has the service addresses of kube-proxy in ipvs mode, and the virtual servers
 *  for them and for node ports, which stand on addresses of the node. Returns how many objects went.
 *  kube-proxy's own clean-up empties IPVS whatever is in it; here virtual servers on other addresses and
 *  those by mark stay, because kube-proxy makes none, and without the interface nothing is touched. */
export function removeVirtualServers(): number {
  const route = RouteConnection.open()
  try {
    const link = route.listLinks().find(({ name }) => name === interfaceName)
    if (link === undefined) return 0
    const local = new Set(route.listAddresses().map(({ address }) => address))
    const servers = deleteServers((key) => key.kind !== 'mark' && local.has(key.address))
    route.deleteLink(link.index)
    return servers + 1
  } finally {
    route.close()
  }
}

function deleteServers(isOriginal: (key: VirtualServerKey) => boolean): number {
  const ipvs = IpvsConnection.open()
  try {
    const keys = ipvs
      .listServers()
      .map(({ server }) => server.key)
      .filter(isOriginal)
    ipvs.apply(keys.map((key) => ({ kind: 'delete-server', key })))
    return keys.length
  } finally {
    ipvs.close()
  }
}
