import { addressBytes, type Family } from '../net/address.ts'

/** What each header of version 2 begins with; no other protocol does. Section 2.2 */
export const binarySignature = Uint8Array.of(
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
)

/** [signature:12][version and command:1][family and transport:1][bytes that follow:2 BE], then
 *  [source][destination][source port:2 BE][destination port:2 BE], then extensions. */
export const binaryHeader = {
  versionAndCommand: 12,
  familyAndTransport: 13,
  length: 14,
  addresses: 16,
} as const

/** Lower half of the byte: the sender itself speaks, or for somebody. */
export const binaryCommands = { LOCAL: 0x20, PROXY: 0x21 } as const

/** AF_INET or AF_INET6 in the upper half, STREAM in the lower. */
export const binaryStreams = { 4: 0x11, 6: 0x21 } as const satisfies Readonly<
  Record<Family, number>
>

/** Bytes of both addresses and both ports. */
export function binaryAddressBytes(family: Family): number {
  return 2 * addressBytes(family) + 4
}
