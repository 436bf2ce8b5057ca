import { addressBytes, writeAddress } from '../../net/address.ts'
import { parsePrefix } from '../../net/prefix.ts'
import type { DnsName } from '../wire/name.ts'

/** The reverse zones that together cover a network in prefix form: one when its length ends at a label
 *  (8 bits in in-addr.arpa, 4 in ip6.arpa), else those one label deeper. Empty when it is no network. */
export function reverseZones(text: string): readonly DnsName[] {
  const prefix = parsePrefix(text)
  if (prefix === undefined) return []
  const bytes = new Uint8Array(addressBytes(prefix.family))
  writeAddress(bytes, 0, prefix.address)
  const step = prefix.family === 4 ? 8 : 4
  const labelCount = Math.ceil(prefix.length / step)
  const labels = Array.from({ length: labelCount }, (_, index) => digitAt(bytes, index, step))
  const suffix = prefix.family === 4 ? 'in-addr.arpa.' : 'ip6.arpa.'
  const count = 2 ** (labelCount * step - prefix.length)
  const last = labels.at(-1) ?? 0
  return Array.from({ length: count }, (_, offset) => {
    const digits = [...labels.slice(0, -1), ...(labelCount > 0 ? [last + offset] : [])]
    const names = digits.map((digit) => digit.toString(step === 8 ? 10 : 16))
    return `${names.toReversed().join('.')}${names.length > 0 ? '.' : ''}${suffix}`
  })
}

function digitAt(bytes: Uint8Array, index: number, step: 4 | 8): number {
  if (step === 8) return bytes[index] ?? 0
  const byte = bytes[index >> 1] ?? 0
  return index % 2 === 0 ? byte >> 4 : byte & 0xf
}
