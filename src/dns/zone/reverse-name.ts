import { addressBytes, type Family, parseAddress, readAddress } from '../../net/address.ts'
import { type DnsName, nameLabels } from '../wire/name.ts'

const suffixes = { 4: '.in-addr.arpa.', 6: '.ip6.arpa.' } as const

/** The canonical address that a reverse name stands for (RFC 1035 section 3.5, RFC 3596 section 2.5);
 *  undefined when it is none. The name must be in lower case. */
export function addressOfReverseName(name: DnsName): string | undefined {
  const family = reverseFamily(name)
  if (family === undefined) return undefined
  const labels = nameLabels(`${name.slice(0, -suffixes[family].length)}.`).reverse()
  if (family === 4) return parseAddress(labels.join('.'))?.text
  if (labels.length !== 32 || !labels.every((label) => /^[0-9a-f]$/.test(label))) return undefined
  const bytes = Buffer.from(labels.join(''), 'hex')
  return bytes.length === addressBytes(6) ? readAddress(bytes, 0, 6) : undefined
}

/** The family of the reverse tree that a lower-case name lies below, or undefined. */
export function reverseFamily(name: DnsName): Family | undefined {
  if (name.endsWith(suffixes[4])) return 4
  return name.endsWith(suffixes[6]) ? 6 : undefined
}

/** Whether a zone is one of reverse names. */
export function isReverseZone(zone: DnsName): boolean {
  return reverseFamily(`.${zone}`) !== undefined
}
