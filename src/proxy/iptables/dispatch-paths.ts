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
import type { Rule } from './rule.ts'

/** Lengths of the prefixes that a tree of addresses branches at, all multiples of 4. Each chain has at most
 *  16 branches below the first one. */
const levels: Readonly<Record<Family, readonly number[]>> = {
  4: [16, 20, 24, 28],
  6: [64, 112, 116, 120, 124],
}

/** The way to the leaf of an address: `KUBE-IP-0A600000-16`, ... `KUBE-IP-0A600010-28` for the kind `IP`.
 *  IPv6 prefixes do not fit into a name, so a hash stands for them. */
export function addressPath(kind: string, address: string): readonly Branch[] {
  const family = familyOf(address)
  const all = addressDigits(address)
  return levels[family].map((length) => {
    const digits = all.slice(0, length / 4).padEnd(all.length, '0')
    const name = family === 4 ? `${digits}-${length}` : hash(`${digits}/${length}`)
    const chain = `KUBE-${kind}-${name}`
    return { chain, order: digits, makeJump: () => jumpTo(chain, family, digits, length) }
  })
}

/** An address as digits, so that texts sort as addresses do. */
export function addressDigits(address: string): string {
  const bytes = Buffer.alloc(addressBytes(familyOf(address)))
  writeAddress(bytes, 0, address)
  return bytes.toString('hex').toUpperCase()
}

/** Bits of a port below the chains of the two levels: 512 ports, then 32. */
const portBits = [9, 5] as const

/** The way to the leaf of a port: `KUBE-NP-TCP-29696-30207`, `KUBE-NP-TCP-30080-30111`. */
export function portPath(kind: string, protocol: Protocol, port: number): readonly Branch[] {
  return portBits.map((bits) => {
    const first = (port >> bits) << bits
    const last = first + 2 ** bits - 1
    const chain = `KUBE-${kind}-${protocol}-${first}-${last}`
    const makeJump = (): Rule => {
      return { protocol, port: { first, last }, target: { kind: 'jump', chain } }
    }
    return { chain, order: portOrder(protocol, first), makeJump }
  })
}

/** Sorts by protocol, then port. */
export function portOrder(protocol: Protocol, port: number): string {
  return `${protocol} ${String(port).padStart(5, '0')}`
}

function jumpTo(chain: string, family: Family, digits: string, length: number): Rule {
  const value: Prefix = {
    family,
    address: readAddress(Buffer.from(digits, 'hex'), 0, family),
    length,
  }
  return { destination: { value }, target: { kind: 'jump', chain } }
}
