import {
  addressBytes,
  type Family,
  familyOf,
  readAddress,
  writeAddress,
} from '../../net/address.ts'
import type { Prefix } from '../../net/prefix.ts'
import type { Protocol } from '../../net/protocol.ts'
import { hash } from './chain-names.ts'
import type { Branch } from './dispatch-tree.ts'

/** Lengths of the prefixes that a tree of addresses branches at. Each chain has at most 16 branches below
 *  the first one. */
const levels: Readonly<Record<Family, readonly number[]>> = {
  4: [16, 20, 24, 28],
  6: [64, 112, 116, 120, 124],
}

/** The way to the leaf of an address: `KUBE-IP-0A600000-16`, ... `KUBE-IP-0A600010-28` for the kind `IP`.
 *  IPv6 prefixes do not fit into a name, so a hash stands for them. */
export function addressPath(kind: string, address: string): readonly Branch[] {
  const family = familyOf(address)
  const bytes = new Uint8Array(addressBytes(family))
  writeAddress(bytes, 0, address)
  return levels[family].map((length) => {
    const prefix = cut(bytes, length, family)
    const digits = prefixDigits(prefix)
    const name = family === 4 ? `${digits}-${length}` : hash(`${prefix.address}/${length}`)
    return {
      chain: `KUBE-${kind}-${name}`,
      order: digits,
      jump: { destination: { value: prefix }, target: jump(`KUBE-${kind}-${name}`) },
    }
  })
}

/** An address as digits, so that texts sort as addresses do. */
export function addressDigits(address: string): string {
  const bytes = new Uint8Array(addressBytes(familyOf(address)))
  writeAddress(bytes, 0, address)
  return Buffer.from(bytes).toString('hex').toUpperCase()
}

/** Bits of a port below the chains of the two levels: 512 ports, then 32. */
const portBits = [9, 5] as const

/** The way to the leaf of a port: `KUBE-NP-TCP-29696-30207`, `KUBE-NP-TCP-30080-30111`. */
export function portPath(kind: string, protocol: Protocol, port: number): readonly Branch[] {
  return portBits.map((bits) => {
    const first = (port >> bits) << bits
    const last = first + 2 ** bits - 1
    const chain = `KUBE-${kind}-${protocol}-${first}-${last}`
    return {
      chain,
      order: portOrder(protocol, first),
      jump: { protocol, port: { first, last }, target: jump(chain) },
    }
  })
}

/** Sorts by protocol, then port. */
export function portOrder(protocol: Protocol, port: number): string {
  return `${protocol} ${String(port).padStart(5, '0')}`
}

function jump(chain: string): { readonly kind: 'jump'; readonly chain: string } {
  return { kind: 'jump', chain }
}

function cut(address: Uint8Array, length: number, family: Family): Prefix {
  const bytes = address.slice()
  // Every level ends within a byte at 0 or 4 bits.
  bytes.fill(0, Math.ceil(length / 8))
  const half = length >> 3
  if (length % 8 !== 0) bytes[half] = (bytes[half] ?? 0) & 0xf0
  return { family, address: readAddress(bytes, 0, family), length }
}

function prefixDigits({ address }: Prefix): string {
  return addressDigits(address)
}
