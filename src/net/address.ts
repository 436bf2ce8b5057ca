import { Address6 } from 'ip-address'

/** IP version. */
export type Family = 4 | 6

/** A checked address. `text` is canonical (RFC 5952 for IPv6), so equal addresses have equal texts. */
export interface Address {
  readonly family: Family
  readonly text: string
}

/** Decodes a textual address strictly: no leading zeros, zones, prefixes, spaces or short forms.
 *  IPv4-mapped IPv6 addresses are refused, as Kubernetes' validation does. */
export function parseAddress(text: string): Address | undefined {
  if (parseIpv4(text) !== undefined) return { family: 4, text }
  if (!text.includes(':') || text.length > 45 || /[^0-9a-fA-F:.]/.test(text)) return undefined
  try {
    const address = new Address6(text)
    const canonical = address.correctForm()
    if (canonical.startsWith('::ffff:') && address.isMapped4()) return undefined
    return { family: 6, text: canonical }
  } catch {
    return undefined
  }
}

/** Bytes of an address in one family: 4 or 16. */
export function addressBytes(family: Family): 4 | 16 {
  return family === 4 ? 4 : 16
}

/** Writes a canonical address in network order at `offset`. The text must come from `parseAddress`. */
export function writeAddress(target: Uint8Array, offset: number, text: string): void {
  if (text.includes(':')) writeIpv6(target, offset, text)
  else writeIpv4(target, offset, text)
}

/** The canonical text of an address of 4 or 16 bytes in network order. */
export function readAddress(source: Uint8Array, offset: number, family: Family): string {
  if (family === 4) {
    return `${source[offset]}.${source[offset + 1]}.${source[offset + 2]}.${source[offset + 3]}`
  }
  const bytes = Array.from(source.subarray(offset, offset + 16))
  return Address6.fromByteArray(bytes).correctForm()
}

/** Whether a canonical address stands for any local address: `0.0.0.0` or `::`. */
export function isUnspecified(text: string): boolean {
  return text === '0.0.0.0' || text === '::'
}

/** The family of a canonical address. */
export function familyOf(text: string): Family {
  return text.includes(':') ? 6 : 4
}

function parseIpv4(text: string): number | undefined {
  const length = text.length
  if (length < 7 || length > 15) return undefined
  let value = 0
  let part = -1
  let dots = 0
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index)
    if (code === 46) {
      if (part < 0 || ++dots > 3) return undefined
      value = value * 256 + part
      part = -1
      continue
    }
    const digit = code - 48
    if (digit < 0 || digit > 9 || part === 0) return undefined
    part = part < 0 ? digit : part * 10 + digit
    if (part > 255) return undefined
  }
  if (dots !== 3 || part < 0) return undefined
  return value * 256 + part
}

function writeIpv4(target: Uint8Array, offset: number, text: string): void {
  let part = 0
  let at = offset
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 46) {
      target[at++] = part
      part = 0
    } else part = part * 10 + code - 48
  }
  target[at] = part
}

function writeIpv6(target: Uint8Array, offset: number, text: string): void {
  const [head = '', tail] = text.split('::')
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  target.fill(0, offset, offset + 16)
  left.forEach((group, index) => {
    writeGroup(target, offset + 2 * index, group)
  })
  right.forEach((group, index) => {
    writeGroup(target, offset + 16 - 2 * (right.length - index), group)
  })
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

function writeGroup(target: Uint8Array, offset: number, group: number): void {
  target[offset] = group >> 8
  target[offset + 1] = group & 0xff
}
