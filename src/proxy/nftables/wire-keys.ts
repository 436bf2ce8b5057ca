import type { ByteString } from '../../net/byte-string.ts'
import { type Protocol, protocolNumber } from '../../net/protocol.ts'
import { addressKey, hostWordString, portWord } from '../../ruleset/element-keys.ts'

/** Keys and values that only the tables of this mode have. */

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
