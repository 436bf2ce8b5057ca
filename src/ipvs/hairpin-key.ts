import type { ByteString } from '../net/byte-string.ts'
import type { Protocol } from '../net/protocol.ts'
import { addressKey, frontendKey } from '../ruleset/element-keys.ts'

/** [address][address][protocol][port]: an endpoint of this node that reaches itself. */
export function hairpinKey(address: string, protocol: Protocol, port: number): ByteString {
  return addressKey(address) + frontendKey(address, protocol, port)
}
