import type { Attributes } from '../netlink/attribute-kinds.ts'

/** IPVS_GENL_NAME, IPVS_GENL_VERSION; linux/ip_vs.h, as everything here. */
export const ipvsFamily = { name: 'IPVS', version: 1 } as const

/** IPVS_CMD_* */
export const ipvsCommands = {
  newService: 1,
  setService: 2,
  deleteService: 3,
  getService: 4,
  newDestination: 5,
  setDestination: 6,
  deleteDestination: 7,
  getDestination: 8,
  setConfiguration: 12,
  getConfiguration: 13,
  setInformation: 14,
  getInformation: 15,
  zero: 16,
  flush: 17,
} as const

/** IPVS_STATS_ATTR_* of IPVS_SVC_ATTR_STATS64 and IPVS_DEST_ATTR_STATS64: since Linux 4.1. Rates are those
 *  of the last two seconds. */
export const statisticsAttributes = {
  connections: { id: 1, kind: 'u64host' },
  inboundPackets: { id: 2, kind: 'u64host' },
  outboundPackets: { id: 3, kind: 'u64host' },
  inboundBytes: { id: 4, kind: 'u64host' },
  outboundBytes: { id: 5, kind: 'u64host' },
  connectionRate: { id: 6, kind: 'u64host' },
  inboundPacketRate: { id: 7, kind: 'u64host' },
  outboundPacketRate: { id: 8, kind: 'u64host' },
  inboundByteRate: { id: 9, kind: 'u64host' },
  outboundByteRate: { id: 10, kind: 'u64host' },
} as const satisfies Attributes

/** The same in IPVS_SVC_ATTR_STATS and IPVS_DEST_ATTR_STATS: all but bytes wrap at 32 bits. */
export const shortStatisticsAttributes = {
  connections: { id: 1, kind: 'u32host' },
  inboundPackets: { id: 2, kind: 'u32host' },
  outboundPackets: { id: 3, kind: 'u32host' },
  inboundBytes: { id: 4, kind: 'u64host' },
  outboundBytes: { id: 5, kind: 'u64host' },
  connectionRate: { id: 6, kind: 'u32host' },
  inboundPacketRate: { id: 7, kind: 'u32host' },
  outboundPacketRate: { id: 8, kind: 'u32host' },
  inboundByteRate: { id: 9, kind: 'u32host' },
  outboundByteRate: { id: 10, kind: 'u32host' },
} as const satisfies Attributes

/** IPVS_SVC_ATTR_*. `address` is union nf_inet_addr: 16 bytes, IPv4 in the first four. `flags` is struct
 *  ip_vs_flags: u32 flags, u32 mask. `netmask` is a mask in network order for IPv4,
 *  a prefix length in host order for IPv6. */
export const serviceAttributes = {
  family: { id: 1, kind: 'u16host' },
  protocol: { id: 2, kind: 'u16host' },
  address: { id: 3, kind: 'bytes' },
  port: { id: 4, kind: 'u16be' },
  mark: { id: 5, kind: 'u32host' },
  scheduler: { id: 6, kind: 'string' },
  flags: { id: 7, kind: 'bytes' },
  timeout: { id: 8, kind: 'u32host' },
  netmask: { id: 9, kind: 'u32host' },
  shortStatistics: { id: 10, kind: 'nest', nest: shortStatisticsAttributes },
  persistenceEngine: { id: 11, kind: 'string' },
  statistics: { id: 12, kind: 'nest', nest: statisticsAttributes },
} as const satisfies Attributes

/** IPVS_DEST_ATTR_* */
export const destinationAttributes = {
  address: { id: 1, kind: 'bytes' },
  port: { id: 2, kind: 'u16be' },
  forwarding: { id: 3, kind: 'u32host' },
  weight: { id: 4, kind: 'u32host' },
  upperThreshold: { id: 5, kind: 'u32host' },
  lowerThreshold: { id: 6, kind: 'u32host' },
  activeConnections: { id: 7, kind: 'u32host' },
  inactiveConnections: { id: 8, kind: 'u32host' },
  persistentConnections: { id: 9, kind: 'u32host' },
  shortStatistics: { id: 10, kind: 'nest', nest: shortStatisticsAttributes },
  family: { id: 11, kind: 'u16host' },
  statistics: { id: 12, kind: 'nest', nest: statisticsAttributes },
  tunnelType: { id: 13, kind: 'u8' },
  tunnelPort: { id: 14, kind: 'u16be' },
  tunnelFlags: { id: 15, kind: 'u16host' },
} as const satisfies Attributes

/** IPVS_CMD_ATTR_*; timeouts in seconds. */
export const commandAttributes = {
  service: { id: 1, kind: 'nest', nest: serviceAttributes },
  destination: { id: 2, kind: 'nest', nest: destinationAttributes },
  tcpTimeout: { id: 4, kind: 'u32host' },
  tcpFinTimeout: { id: 5, kind: 'u32host' },
  udpTimeout: { id: 6, kind: 'u32host' },
} as const satisfies Attributes

/** IPVS_INFO_ATTR_* */
export const informationAttributes = {
  version: { id: 1, kind: 'u32host' },
  connectionTableSize: { id: 2, kind: 'u32host' },
} as const satisfies Attributes

/** IP_VS_SVC_F_*: bits of a service's flags. The kernel adds `hashed` itself. The scheduler `sh` reads
 *  `scheduler1` as fallback and `scheduler2` as port, `mh` as well. */
export const serviceFlags = {
  persistent: 0x1,
  hashed: 0x2,
  onePacket: 0x4,
  scheduler1: 0x8,
  scheduler2: 0x10,
  scheduler3: 0x20,
} as const

/** IP_VS_CONN_F_*: how packets get to a destination. */
export const forwardingMethods = {
  masquerade: 0,
  localNode: 1,
  tunnel: 2,
  directRoute: 3,
  bypass: 4,
} as const
