import { addressBytes, familyOf, writeAddress } from '../net/address.ts'
import { type ByteString, toByteString } from '../net/byte-string.ts'
import { type Prefix, prefixRange } from '../net/prefix.ts'
import { type Protocol, protocolNumber } from '../net/protocol.ts'

/** Keys and values of elements. Every field of a concatenation is padded with zeros to 4 bytes; addresses and
 *  ports are in network order, marks in host order. */

const scratch = new Uint8Array(16)

/** An address: 4 or 16 bytes. */
export function addressKey(address: string): ByteString {
  writeAddress(scratch, 0, address)
  return toByteString(scratch, 0, addressBytes(familyOf(address)))
}

/** [address][protocol:1, pad:3][port:2 BE, pad:2] */
export function frontendKey(address: string, protocol: Protocol, port: number): ByteString {
  const portWord = String.fromCharCode(port >> 8, port & 0xff)
  const protocolWord = String.fromCharCode(protocolNumber(protocol))
  return `${addressKey(address)}${protocolWord}\0\0\0${portWord}\0\0`
}

/** [address][address][protocol][port]: an endpoint of this node that reaches itself. */
export function hairpinKey(address: string, protocol: Protocol, port: number): ByteString {
  return addressKey(address) + frontendKey(address, protocol, port)
}

/** First and last key of a source range of a frontend. */
export function sourceRangeKeys(
  frontend: ByteString,
  prefix: Prefix,
): { readonly first: ByteString; readonly last: ByteString } {
  const { first, last } = prefixRange(prefix)
  return { first: frontend + toByteString(first), last: frontend + toByteString(last) }
}

/** A packet mark as the data of a map. */
export function markValue(mark: number): ByteString {
  const bytes = [mark & 0xff, (mark >>> 8) & 0xff, (mark >>> 16) & 0xff, mark >>> 24]
  return String.fromCharCode(...bytes)
}

/** The mark that `markValue` made. */
export function readMark(value: ByteString): number {
  let mark = 0
  for (let index = 3; index >= 0; index--) mark = mark * 256 + value.charCodeAt(index)
  return mark
}
