import { networkInterfaces } from 'node:os'
import { parseAddress } from '../net/address.ts'
import { RouteConnection } from '../netlink/route.ts'

/** The canonical addresses of this machine's interfaces, loopback included, sorted. Where netlink is not
 *  there (another system than Linux), those of interfaces that are up. */
export function readLocalAddresses(): readonly string[] {
  return [...new Set(readByNetlink() ?? readByLibrary())].sort()
}

function readByNetlink(): readonly string[] | undefined {
  try {
    const connection = RouteConnection.open()
    try {
      return connection.listAddresses().map(({ address }) => address)
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
