import { binarySignature } from './binary-header.ts'
import { decodeBinaryHeader } from './decode-binary-header.ts'
import { decodeTextHeader, textSignature } from './decode-text-header.ts'
import type { DecodedProxyHeader } from './decoded-proxy-header.ts'

/** Takes the header off the first bytes of a connection, of either version. Asks for more bytes only while they can
 *  still become a header, and never for more than 4,112. */
export function decodeProxyHeader(bytes: Uint8Array): DecodedProxyHeader {
  for (const { signature, decode } of versions) {
    const length = Math.min(bytes.length, signature.length)
    if (!startsAlike(bytes, signature, length)) continue
    return length < signature.length ? { kind: 'incomplete' } : decode(bytes)
  }
  return { kind: 'wrong', expected: 'a header of the PROXY protocol, version 1 or 2' }
}

/** Their first bytes differ. */
const versions = [
  { signature: textSignature, decode: decodeTextHeader },
  { signature: binarySignature, decode: decodeBinaryHeader },
] as const

function startsAlike(bytes: Uint8Array, signature: Uint8Array, length: number): boolean {
  for (let index = 0; index < length; index++) {
    if (bytes[index] !== signature[index]) return false
  }
  return true
}
