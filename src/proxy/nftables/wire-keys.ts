import { writeAddress } from '../../net/address.ts'
import { type ByteString, toByteString } from '../../net/byte-string.ts'
import { type Prefix, prefixRange } from '../../net/prefix.ts'
import { type Protocol, protocolNumber } from '../../net/protocol.ts'
import { hostWordString } from './kinds.ts'

/** Keys and values of elements as byte strings. Every field is padded with zeros to 4 bytes; addresses,
 *  protocols and ports are in network order, numbers of our own in host order. */

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

/** [address:4|16][port:2 BE, pad:2] */
export function backendValue(address: string, port: number): ByteString {
  return addressKey(address) + portWord(port)
}

/** The address of a `backendValue`, still as bytes. */
export function backendAddressBytes(value: ByteString): ByteString {
  return value.slice(0, -4)
}

/** [pool:4 host][number:4 host]: key of `slots`, `sticky-slots` and `endpoints`. */
export function poolKey(pool: number, number: number): ByteString {
  return hostWordString(pool) + hostWordString(number)
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

/** First and last key of a source range of a frontend. */
export function sourceRangeKeys(
  frontend: ByteString,
  prefix: Prefix,
): { first: ByteString; last: ByteString } {
  const { first, last } = prefixRange(prefix)
  return { first: frontend + toByteString(first), last: frontend + toByteString(last) }
}

/** [address][address][protocol:1, pad:3][port:2 BE, pad:2]: an endpoint that reaches itself. */
export function hairpinKey(backend: ByteString, protocol: Protocol): ByteString {
  const address = backendAddressBytes(backend)
  return `${address}${address}${String.fromCharCode(protocolNumber(protocol))}\0\0\0${backend.slice(-4)}`
}

/** Number of an endpoint in its pool: FNV-1a of its address and port, so that it is the same after a
 *  restart. Two endpoints of one pool may collide; the caller then counts on. */
export function endpointNumber(backend: ByteString): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < backend.length; index++) {
    hash = Math.imul(hash ^ backend.charCodeAt(index), 0x01000193)
  }
  return hash >>> 0
}

function portWord(port: number): ByteString {
  return `${String.fromCharCode(port >> 8, port & 0xff)}\0\0`
}
