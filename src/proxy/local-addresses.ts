import { networkInterfaces } from 'node:os'
import { parseAddress } from '../net/address.ts'

/** The canonical addresses of this machine's interfaces that are up, loopback included, sorted. */
export function readLocalAddresses(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).flatMap((entry) => parseAddress(entry.address)?.text ?? []),
  )
  return [...new Set(addresses)].sort()
}
