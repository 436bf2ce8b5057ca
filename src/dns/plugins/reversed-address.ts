import { parseAddress } from '../../net/address.ts'
import type { DnsName } from '../wire/name.ts'

/** The canonical address that a whole name below in-addr.arpa or ip6.arpa stands for. */
export function reversedAddress(name: DnsName): string | undefined {
  const match = /^(.*)\.(in-addr|ip6)\.arpa\.$/.exec(name)
  const labels = (match?.[1] ?? '').split('.').toReversed()
  if (match?.[2] === 'in-addr') return parseAddress(labels.join('.'))?.text
  if (match === null || labels.length !== 32 || labels.some((label) => label.length !== 1)) {
    return undefined
  }
  const groups = Array.from({ length: 8 }, (_, index) => labels.slice(4 * index, 4 * index + 4))
  return parseAddress(groups.map((group) => group.join('')).join(':'))?.text
}
