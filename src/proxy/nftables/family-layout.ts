import type { Family } from '../../net/address.ts'
import type { TableFamily } from '../../netlink/nftables/objects.ts'

/** What differs between the tables of the two families: header offsets and register numbers. */
export interface FamilyLayout {
  readonly family: Family
  readonly table: TableFamily
  /** NFPROTO_IPV4 or NFPROTO_IPV6. */
  readonly protocolFamily: 2 | 10
  readonly addressBytes: 4 | 16
  /** Offsets in the IP header, bytes. */
  readonly sourceOffset: number
  readonly destinationOffset: number
}

/** 32-bit registers, NFT_REG32_00 (8) and up; an address takes 1 or 4 of them. Registers live within
 *  one rule only. */
export const firstRegister = 8

/** Where every rule that goes through the mark saves it: NFT_REG32_15. */
export const savedMarkRegister = 23

/** IPv4: struct iphdr has the addresses at 12 and 16. */
export const ipv4Layout: FamilyLayout = {
  family: 4,
  table: 'ip',
  protocolFamily: 2,
  addressBytes: 4,
  sourceOffset: 12,
  destinationOffset: 16,
}

/** IPv6: struct ipv6hdr has the addresses at 8 and 24. */
export const ipv6Layout: FamilyLayout = {
  family: 6,
  table: 'ip6',
  protocolFamily: 10,
  addressBytes: 16,
  sourceOffset: 8,
  destinationOffset: 24,
}

/** The layout of a family's table. */
export function layoutOf(family: Family): FamilyLayout {
  return family === 4 ? ipv4Layout : ipv6Layout
}
