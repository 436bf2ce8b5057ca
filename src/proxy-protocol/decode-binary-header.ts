import { addressBytes, type Family, parseAddress, readAddress } from '../net/address.ts'
import { binaryAddressBytes, binaryCommands, binaryHeader, binaryStreams } from './binary-header.ts'
import type { DecodedProxyHeader } from './decoded-proxy-header.ts'
import type { ProxiedFlow } from './proxied-flow.ts'

/** Addresses with extensions; a client's certificate, the longest of those known, fits. */
const longestLength = 4_096

/** Extensions are [type:1][length:2 BE][value]. Section 2.2.7 */
const extensionHeadBytes = 3

/** Family and transport of senders that do not say; what follows is not looked at. */
const unspecified = 0x00

/** Decodes bytes that begin with the signature. Extensions must be whole, and are left unread. */
export function decodeBinaryHeader(bytes: Uint8Array): DecodedProxyHeader {
  const command = bytes[binaryHeader.versionAndCommand]
  if (
    command !== undefined &&
    command !== binaryCommands.LOCAL &&
    command !== binaryCommands.PROXY
  ) {
    return wrong('version 2 with the command LOCAL or PROXY')
  }
  if (bytes.length < binaryHeader.addresses) return { kind: 'incomplete' }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const length = view.readUInt16BE(binaryHeader.length)
  if (length > longestLength) return wrong(`at most ${longestLength} bytes behind the first 16`)
  const byteCount = binaryHeader.addresses + length
  const kind = bytes[binaryHeader.familyAndTransport] ?? unspecified
  // The sender's own connection: it may still say where from, which does not count.
  const isAnonymous = command === binaryCommands.LOCAL || kind === unspecified
  const family = families.find((each) => binaryStreams[each] === kind)
  if (!isAnonymous && family === undefined) return wrong('TCP over IPv4 or IPv6')
  if (bytes.length < byteCount) return { kind: 'incomplete' }
  if (isAnonymous || family === undefined) return { kind: 'header', byteCount, flow: undefined }
  const end = binaryHeader.addresses + binaryAddressBytes(family)
  if (end > byteCount) return wrong(`room for addresses of IPv${family}`)
  if (!areWhole(view, end, byteCount)) return wrong('whole extensions')
  const flow = readFlow(view, family)
  return flow === undefined
    ? wrong('addresses of IPv6 that are not of IPv4')
    : { kind: 'header', byteCount, flow }
}

const families: readonly Family[] = [4, 6]

function readFlow(view: Buffer, family: Family): ProxiedFlow | undefined {
  const at = binaryHeader.addresses
  const size = addressBytes(family)
  const source = parseAddress(readAddress(view, at, family))?.text
  const destination = parseAddress(readAddress(view, at + size, family))?.text
  if (source === undefined || destination === undefined) return undefined
  return {
    source: { address: source, port: view.readUInt16BE(at + 2 * size) },
    destination: { address: destination, port: view.readUInt16BE(at + 2 * size + 2) },
  }
}

function areWhole(view: Buffer, start: number, end: number): boolean {
  let at = start
  while (at + extensionHeadBytes <= end) at += extensionHeadBytes + view.readUInt16BE(at + 1)
  return at === end
}

function wrong(expected: string): DecodedProxyHeader {
  return { kind: 'wrong', expected }
}
