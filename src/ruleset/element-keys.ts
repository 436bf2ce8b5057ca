import { writeAddress } from '../net/address.ts'
import { type ByteString, toByteString } from '../net/byte-string.ts'
import { type Prefix, prefixContains, prefixRange } from '../net/prefix.ts'
import { type Protocol, protocolNumber } from '../net/protocol.ts'
import type { SetElement } from '../netlink/nftables/objects.ts'

/** Keys and values of elements as byte strings. Every field is padded with zeros to 4 bytes; addresses,
 *  protocols and ports are in network order, numbers of our own (pools, marks) in host order. */

const scratch = new Uint8Array(16)

/** An address: 4 or 16 bytes. */
export function addressKey(address: string): ByteString {
  writeAddress(scratch, 0, address)
  if (address.includes(':')) return toByteString(scratch, 0, 16)
  // One for each endpoint: much faster than a Buffer for four bytes.
  return String.fromCharCode(scratch[0] ?? 0, scratch[1] ?? 0, scratch[2] ?? 0, scratch[3] ?? 0)
}

/** [protocol:1, pad:3][port:2 BE, pad:2] */
export function nodePortKey(protocol: Protocol, port: number): ByteString {
  return `${String.fromCharCode(protocolNumber(protocol))}\0\0\0${portWord(port)}`
}

/** [address:4|16][protocol:1, pad:3][port:2 BE, pad:2] */
export function frontendKey(address: string, protocol: Protocol, port: number): ByteString {
  return addressKey(address) + nodePortKey(protocol, port)
}

/** [port:2 BE, pad:2] */
export function portWord(port: number): ByteString {
  return `${String.fromCharCode(port >> 8, port & 0xff)}\0\0`
}

/** A 32-bit number as a key or value of a map whose type is in host order (mark, integer). */
export function hostWordString(value: number): ByteString {
  return String.fromCharCode(
    value & 0xff,
    (value >>> 8) & 0xff,
    (value >>> 16) & 0xff,
    value >>> 24,
  )
}

/** The number that `hostWordString` made, at a byte offset of a key or value. */
export function readHostWord(bytes: ByteString, offset = 0): number {
  return (
    (bytes.charCodeAt(offset) |
      (bytes.charCodeAt(offset + 1) << 8) |
      (bytes.charCodeAt(offset + 2) << 16) |
      (bytes.charCodeAt(offset + 3) << 24)) >>>
    0
  )
}

/** Elements of an interval set of frontends and the sources that each admits. Prefixes that lie in another
 *  one are left out: the kernel refuses overlapping intervals. */
export function sourceRangeElements(
  frontend: ByteString,
  prefixes: readonly Prefix[],
  comment: string,
): readonly SetElement[] {
  return disjoint(prefixes).map((prefix) => {
    const { first, last } = prefixRange(prefix)
    const [key, keyEnd] = [frontend + toByteString(first), frontend + toByteString(last)]
    return { key, keyEnd, comment }
  })
}

function disjoint(prefixes: readonly Prefix[]): readonly Prefix[] {
  return prefixes.filter(
    (prefix, index) =>
      !prefixes.some(
        (other, otherIndex) =>
          otherIndex !== index &&
          prefixContains(other, prefix.address) &&
          (other.length < prefix.length || (other.length === prefix.length && otherIndex < index)),
      ),
  )
}
