import { addressBytes, familyOf, readAddress, writeAddress } from '../../src/net/address.ts'
import { type Prefix, prefixRange } from '../../src/net/prefix.ts'

/** The address `distance` steps above (or, negative, below) a canonical one; wraps at the ends. */
export function neighbourAddress(address: string, distance: number): string {
  const family = familyOf(address)
  const bytes = new Uint8Array(addressBytes(family))
  writeAddress(bytes, 0, address)
  return shifted(bytes, distance)
}

/** An address of a prefix, `offset` above its first one. */
export function addressInside(prefix: Prefix, offset: number): string {
  return shifted(
    prefixRange(prefix).first,
    prefix.address.includes(':') || prefix.length < 31 ? offset : 0,
  )
}

/** The address just behind the last one of a prefix. */
export function addressBehind(prefix: Prefix): string {
  return shifted(prefixRange(prefix).last, 1)
}

function shifted(bytes: Uint8Array, distance: number): string {
  const result = bytes.slice()
  let carry = distance
  for (let index = result.length - 1; index >= 0 && carry !== 0; index--) {
    const sum = (result[index] ?? 0) + carry
    result[index] = sum & 0xff
    carry = sum >> 8
  }
  return readAddress(result, 0, result.length === 4 ? 4 : 6)
}
