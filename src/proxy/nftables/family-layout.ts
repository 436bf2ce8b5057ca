import type { Family } from '../../net/address.ts'
import type { TableFamily } from '../../netlink/nftables/objects.ts'

/** What differs between the tables of the two families. */
export interface FamilyLayout {
  readonly family: Family
  readonly table: TableFamily
  readonly addressBytes: 4 | 16
}

/** Where every rule that goes through the mark saves it: NFT_REG32_15. */
export const savedMarkRegister = 23

/** The table of IPv4 services. */
export const ipv4Layout: FamilyLayout = { family: 4, table: 'ip', addressBytes: 4 }

/** The table of IPv6 services. */
export const ipv6Layout: FamilyLayout = { family: 6, table: 'ip6', addressBytes: 16 }

/** The layout of a family's table. */
export function layoutOf(family: Family): FamilyLayout {
  return family === 4 ? ipv4Layout : ipv6Layout
}
