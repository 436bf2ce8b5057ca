import { addressBytes, familyOf, writeAddress } from '../net/address.ts'
import {
  binaryAddressBytes,
  binaryCommands,
  binaryHeader,
  binarySignature,
  binaryStreams,
} from './binary-header.ts'
import type { ProxiedFlow, ProxyProtocolVersion } from './proxied-flow.ts'

/** The header that goes in front of a TCP connection's bytes. */
export function encodeProxyHeader(version: ProxyProtocolVersion, flow: ProxiedFlow): Uint8Array {
  return version === 'v1' ? encodeLine(flow) : encodeBytes(flow)
}

function encodeLine({ source, destination }: ProxiedFlow): Uint8Array {
  const family = familyOf(source.address)
  const words = [
    ...['PROXY', `TCP${family}`, source.address, destination.address],
    ...[source.port, destination.port],
  ]
  return Buffer.from(`${words.join(' ')}\r\n`, 'latin1')
}

function encodeBytes({ source, destination }: ProxiedFlow): Uint8Array {
  const family = familyOf(source.address)
  const length = binaryAddressBytes(family)
  const bytes = Buffer.alloc(binaryHeader.addresses + length)
  bytes.set(binarySignature)
  bytes[binaryHeader.versionAndCommand] = binaryCommands.PROXY
  bytes[binaryHeader.familyAndTransport] = binaryStreams[family]
  bytes.writeUInt16BE(length, binaryHeader.length)
  writeAddress(bytes, binaryHeader.addresses, source.address)
  writeAddress(bytes, binaryHeader.addresses + addressBytes(family), destination.address)
  bytes.writeUInt16BE(source.port, bytes.length - 4)
  bytes.writeUInt16BE(destination.port, bytes.length - 2)
  return bytes
}
