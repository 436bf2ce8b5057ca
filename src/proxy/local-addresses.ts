import { networkInterfaces } from 'node:os'
import { parseAddress } from '../net/address.ts'
import { RouteConnection } from '../netlink/route.ts'

/** Has the addresses of services in ipvs mode, ours and the original's: they are not the node's. */
const serviceInterface = 'kube-ipvs0'

/** The canonical addresses of this machine's interfaces, loopback included, sorted. Where netlink is not
 *  there (another system than Linux), those of interfaces that are up. */
export function readLocalAddresses(): readonly string[] {
  return [...new Set(readByNetlink() ?? readByLibrary())].sort()
}

function readByNetlink(): readonly string[] | undefined {
  try {
    const connection = RouteConnection.open()
    try {
      const services = connection.listLinks().find(({ name }) => name === serviceInterface)?.index
      return connection
        .listAddresses()
        .filter(({ interfaceIndex }) => interfaceIndex !== services)
        .map(({ address }) => address)
    } finally {
      connection.close()
    }
  } catch {
    return undefined
  }
}

function readByLibrary(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).flatMap((entry) => parseAddress(entry.address)?.text ?? []),
  )
}
