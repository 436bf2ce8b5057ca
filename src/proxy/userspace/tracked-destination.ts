import {
  addressBytes,
  type Family,
  familyOf,
  readAddress,
  writeAddress,
} from '../../net/address.ts'
import { type ByteString, fromByteString, toByteString } from '../../net/byte-string.ts'
import { protocolNumber } from '../../net/protocol.ts'
import type { ConntrackConnection } from '../../netlink/conntrack.ts'
import type { SocketAddress } from '../../reactor/socket-address.ts'
import type { RelayedProtocol } from './relay-ports.ts'

/** Where a client sent what a rule of ours has led to `local`, by the kernel's connection tracking: UDP has no
 *  other way to ask. Undefined when the flow is not tracked (any more). Throws a NetlinkError. */
export function trackedDestination(
  conntrack: Pick<ConntrackConnection, 'findByReply'>,
  protocol: RelayedProtocol,
  client: SocketAddress,
  local: SocketAddress,
): SocketAddress | undefined {
  const family = familyOf(local.address)
  const flow = conntrack.findByReply(family, {
    source: bytesOf(local.address),
    destination: bytesOf(client.address),
    protocol: protocolNumber(protocol),
    sourcePort: local.port,
    destinationPort: client.port,
  })
  if (flow === undefined) return undefined
  const { destination, destinationPort } = flow.original
  return { address: textOf(destination, family), port: destinationPort }
}

function bytesOf(address: string): ByteString {
  const bytes = new Uint8Array(addressBytes(familyOf(address)))
  writeAddress(bytes, 0, address)
  return toByteString(bytes)
}

function textOf(address: ByteString, family: Family): string {
  return readAddress(fromByteString(address), 0, family)
}
