import {
  addressBytes,
  type Family,
  familyOf,
  parseAddress,
  readAddress,
  writeAddress,
} from './address.ts'

/** An address range in prefix form; `address` is canonical and has no bits set behind `length`. */
export interface Prefix {
  readonly family: Family
  readonly address: string
  /** Bits, 0..32 or 0..128. */
  readonly length: number
}

/** Decodes `address/length`. Bits behind the length are cleared (Kubernetes accepts and ignores them). */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const address = parseAddress(text.slice(0, slash))
  const lengthText = text.slice(slash + 1)
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(lengthText)) return undefined
  const length = Number(lengthText)
  const byteCount = addressBytes(address.family)
  if (length > byteCount * 8) return undefined
  const bytes = new Uint8Array(byteCount)
  writeAddress(bytes, 0, address.text)
  clearHostBits(bytes, length)
  return { family: address.family, address: readAddress(bytes, 0, address.family), length }
}

/** The prefix that holds exactly one canonical address. */
export function hostPrefix(address: string): Prefix {
  const family = familyOf(address)
  return { family, address, length: addressBytes(family) * 8 }
}

/** `address/length`. */
export function formatPrefix(prefix: Prefix): string {
  return `${prefix.address}/${prefix.length}`
}

/** Whether a canonical address lies in the prefix; false for the other family. */
export function prefixContains(prefix: Prefix, address: string): boolean {
  if (familyOf(address) !== prefix.family) return false
  const { first, last } = prefixRange(prefix)
  const bytes = new Uint8Array(first.length)
  writeAddress(bytes, 0, address)
  return Buffer.compare(bytes, first) >= 0 && Buffer.compare(bytes, last) <= 0
}

/** First and last address of the prefix, in network order. */
export function prefixRange(prefix: Prefix): { first: Uint8Array; last: Uint8Array } {
  const first = new Uint8Array(addressBytes(prefix.family))
  writeAddress(first, 0, prefix.address)
  const last = first.slice()
  for (let bit = prefix.length; bit < last.length * 8; bit++) {
    const index = bit >> 3
    last[index] = (last[index] ?? 0) | (0x80 >> (bit & 7))
  }
  return { first, last }
}

function clearHostBits(bytes: Uint8Array, length: number): void {
  for (let bit = length; bit < bytes.length * 8; bit++) {
    const index = bit >> 3
    bytes[index] = (bytes[index] ?? 0) & ~(0x80 >> (bit & 7))
  }
}
