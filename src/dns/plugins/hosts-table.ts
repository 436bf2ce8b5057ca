import { type Family, parseAddress } from '../../net/address.ts'
import { isInZones } from '../chain/zones.ts'
import { type DnsName, nameKey, parseName } from '../wire/name.ts'

/** Names and addresses of a hosts file, for both directions. */
export class HostsTable {
  readonly #addresses = new Map<DnsName, { readonly 4: string[]; readonly 6: string[] }>()
  readonly #names = new Map<string, DnsName[]>()

  /** Addresses of a name in lower case. */
  addressesOf(name: DnsName, family: Family): readonly string[] {
    return this.#addresses.get(name)?.[family] ?? []
  }

  /** Names of a canonical address. */
  namesOf(address: string): readonly DnsName[] {
    return this.#names.get(address) ?? []
  }

  /** Adds one pair. */
  add(address: string, family: Family, name: DnsName): void {
    let addresses = this.#addresses.get(name)
    if (addresses === undefined) {
      addresses = { 4: [], 6: [] }
      this.#addresses.set(name, addresses)
    }
    addresses[family].push(address)
    const names = this.#names.get(address)
    if (names === undefined) this.#names.set(address, [name])
    else names.push(name)
  }
}

/** Reads lines of `ADDRESS NAMES... [# comment]`; names outside of the zones, and lines that are none, are
 *  passed over, as in every reader of such files. */
export function parseHosts(text: string, zones: readonly DnsName[]): HostsTable {
  const table = new HostsTable()
  for (const line of text.split('\n')) {
    const [addressText = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/)
    const address = parseAddress(addressText.split('%')[0] ?? '')
    if (address === undefined) continue
    for (const word of names) {
      const name = parseName(word)
      const key = name === undefined ? undefined : nameKey(name)
      if (key !== undefined && isInZones(zones, key)) table.add(address.text, address.family, key)
    }
  }
  return table
}
