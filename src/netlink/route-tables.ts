import type { Attributes } from './attribute-kinds.ts'

/** RTM_* message types; linux/rtnetlink.h */
export const routeMessages = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  newRule: 32,
  deleteRule: 33,
} as const

/** Multicast groups (enum rtnetlink_groups). */
export const routeGroups = { link: 1, ipv4Address: 5, ipv6Address: 9 } as const

/** enum in linux/if_link.h with IFLA_INFO_* */
export const linkInfoAttributes = {
  kind: { id: 1, kind: 'string' },
  data: { id: 2, kind: 'bytes' },
} as const satisfies Attributes

/** IFLA_*; linux/if_link.h. `link` and `master` are interface indexes. */
export const linkAttributes = {
  hardwareAddress: { id: 1, kind: 'bytes' },
  name: { id: 3, kind: 'string' },
  mtu: { id: 4, kind: 'u32host' },
  link: { id: 5, kind: 'u32host' },
  master: { id: 10, kind: 'u32host' },
  info: { id: 18, kind: 'nest', nest: linkInfoAttributes },
} as const satisfies Attributes

/** IFA_*; linux/if_addr.h. `local` is the address itself where the link is point to point. */
export const addressAttributes = {
  address: { id: 1, kind: 'bytes' },
  local: { id: 2, kind: 'bytes' },
  label: { id: 3, kind: 'string' },
  flags: { id: 8, kind: 'u32host' },
} as const satisfies Attributes

/** RTA_*; linux/rtnetlink.h */
export const routeAttributes = {
  destination: { id: 1, kind: 'bytes' },
  outputInterface: { id: 4, kind: 'u32host' },
  gateway: { id: 5, kind: 'bytes' },
  priority: { id: 6, kind: 'u32host' },
  table: { id: 15, kind: 'u32host' },
} as const satisfies Attributes

/** FRA_*; linux/fib_rules.h */
export const ruleAttributes = {
  priority: { id: 6, kind: 'u32host' },
  mark: { id: 10, kind: 'u32host' },
  table: { id: 15, kind: 'u32host' },
  markMask: { id: 16, kind: 'u32host' },
} as const satisfies Attributes
