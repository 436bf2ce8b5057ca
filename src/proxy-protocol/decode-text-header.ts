import { type Family, parseAddress } from '../net/address.ts'
import type { DecodedProxyHeader } from './decoded-proxy-header.ts'

/** What each header of version 1 begins with. */
export const textSignature: Uint8Array = Buffer.from('PROXY ', 'latin1')

/** A line with its end; the longest that two addresses of IPv6 can make. Section 2.1 */
const longestLine = 107

/** Decodes a line that begins with the signature. One space between words, no zeros in front, canonical or other
 *  forms of addresses; addresses of IPv4 within IPv6 are refused. */
export function decodeTextHeader(bytes: Uint8Array): DecodedProxyHeader {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, longestLine))
  const end = head.indexOf('\r\n')
  if (end < 0) {
    return head.length < longestLine
      ? { kind: 'incomplete' }
      : wrong(`the end of the line within ${longestLine} bytes`)
  }
  const byteCount = end + 2
  const [, protocol = '', ...words] = head.toString('latin1', 0, end).split(' ')
  // Whatever follows is not looked at.
  if (protocol === 'UNKNOWN') return { kind: 'header', byteCount, flow: undefined }
  if (protocol !== 'TCP4' && protocol !== 'TCP6') return wrong('TCP4, TCP6 or UNKNOWN')
  const [from = '', to = '', fromPort = '', toPort = ''] = words
  if (words.length !== 4) return wrong('two addresses and two ports')
  const family = protocol === 'TCP4' ? 4 : 6
  const source = parseEnd(from, fromPort, family)
  const destination = parseEnd(to, toPort, family)
  if (source === undefined || destination === undefined) {
    return wrong(`addresses of IPv${family} and ports 0..65535`)
  }
  return { kind: 'header', byteCount, flow: { source, destination } }
}

function parseEnd(
  text: string,
  port: string,
  family: Family,
): { address: string; port: number } | undefined {
  const address = parseAddress(text)
  if (address?.family !== family || !/^(?:0|[1-9]\d{0,4})$/.test(port)) return undefined
  return Number(port) > 65_535 ? undefined : { address: address.text, port: Number(port) }
}

function wrong(expected: string): DecodedProxyHeader {
  return { kind: 'wrong', expected }
}
