import { type Family, readAddress } from '../net/address.ts'
import { decodeAttributes } from './attributes.ts'
import { addressAttributes, linkAttributes } from './route-tables.ts'

/** sizeof(struct ifinfomsg) */
export const linkHeaderBytes = 16
/** sizeof(struct ifaddrmsg) */
export const addressHeaderBytes = 8

/** A network interface. */
export interface Link {
  readonly index: number
  readonly name: string
  /** Kind of a virtual link (`veth`, `bridge`, `dummy`); undefined for hardware and loopback. */
  readonly kind: string | undefined
  /** Administratively up (IFF_UP). */
  readonly isUp: boolean
  readonly isLoopback: boolean
  readonly mtu: number
  /** Index of the bridge or bond that it belongs to. */
  readonly master: number | undefined
}

/** An address of an interface. */
export interface InterfaceAddress {
  readonly interfaceIndex: number
  readonly family: Family
  /** Canonical. */
  readonly address: string
  readonly prefixLength: number
  /** enum rt_scope_t by name; others by number. */
  readonly scope: string
  /** It is not usable yet or never: duplicate address detection runs or failed. */
  readonly isTentative: boolean
}

/** AF_INET, AF_INET6 */
export const protocolFamilies = { 4: 2, 6: 10 } as const

const scopes: Readonly<Record<number, string>> = {
  0: 'global',
  200: 'site',
  253: 'link',
  254: 'host',
  255: 'nowhere',
}

/** IFF_UP, IFF_LOOPBACK; linux/if.h */
const up = 0x1
const loopback = 0x8
/** IFA_F_TENTATIVE, IFA_F_DADFAILED; linux/if_addr.h */
const tentative = 0x40
const failed = 0x08

/** Decodes the payload of RTM_NEWLINK or RTM_DELLINK between two offsets: struct ifinfomsg (family, type at 2,
 *  index at 4, flags at 8), then attributes. Undefined when it is too short. Throws a DecodeError. */
export function decodeLink(bytes: Uint8Array, start: number, end: number): Link | undefined {
  if (end - start < linkHeaderBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const flags = view.getUint32(start + 8, true)
  const at = start + linkHeaderBytes
  const found = decodeAttributes(linkAttributes, bytes, 'network interface', at, end)
  return {
    index: view.getInt32(start + 4, true),
    name: found.name ?? '',
    kind: found.info?.kind,
    isUp: (flags & up) !== 0,
    isLoopback: (flags & loopback) !== 0,
    mtu: found.mtu ?? 0,
    master: found.master,
  }
}

/** Decodes the payload of RTM_NEWADDR or RTM_DELADDR: struct ifaddrmsg (family, prefix length, flags, scope,
 *  index at 4), then attributes. Undefined for other families. Throws a DecodeError. */
export function decodeInterfaceAddress(
  bytes: Uint8Array,
  start: number,
  end: number,
): InterfaceAddress | undefined {
  if (end - start < addressHeaderBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const number = view.getUint8(start)
  const family: Family | undefined = number === 2 ? 4 : number === 10 ? 6 : undefined
  const at = start + addressHeaderBytes
  const found = decodeAttributes(addressAttributes, bytes, 'interface address', at, end)
  const address = found.local ?? found.address
  if (family === undefined || address?.length !== (family === 4 ? 4 : 16)) return undefined
  const flags = found.flags ?? view.getUint8(start + 2)
  const scope = view.getUint8(start + 3)
  return {
    interfaceIndex: view.getUint32(start + 4, true),
    family,
    address: readAddress(address, 0, family),
    prefixLength: view.getUint8(start + 1),
    scope: scopes[scope] ?? String(scope),
    isTentative: (flags & (tentative | failed)) !== 0,
  }
}
