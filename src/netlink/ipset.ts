import { AttributeWriter } from './attribute-writer.ts'
import { errnoNumbers } from './errno.ts'
import { messageFlags } from './message-reader.ts'
import { NetlinkError } from './netlink-error.ts'
import { NetlinkSocket, netlinkProtocols } from './socket.ts'

/** NFNL_SUBSYS_IPSET, IPSET_CMD_DESTROY; linux/netfilter/ipset/ip_set.h */
const destroySet = (6 << 8) | 3
/** IPSET_ATTR_PROTOCOL (u8), IPSET_ATTR_SETNAME */
const attributes = { protocol: 1, name: 2 } as const
/** IPSET_PROTOCOL_MIN: every kernel since 2.6.39 speaks it. */
const protocol = 6
/** AF_INET; the kernel looks at the name alone. */
const family = 2

/** Destroys sets of ipset and returns how many there were. A NetlinkError names one that rules still use.
 *  Needs CAP_NET_ADMIN. */
export function destroySets(names: readonly string[]): number {
  const socket = NetlinkSocket.open('ipset', netlinkProtocols.netfilter)
  try {
    return names.filter((name) => destroy(socket, name)).length
  } finally {
    socket.close()
  }
}

/** False where there is no such set, or no ipset in the kernel (EINVAL of its dispatcher). */
function destroy(socket: NetlinkSocket, name: string): boolean {
  const writer = new AttributeWriter()
  const sequence = socket.reserveSequences()
  // Without `exclusive` the kernel takes a set that is not there for destroyed.
  const flags = messageFlags.request | messageFlags.ack | messageFlags.exclusive
  const start = writer.beginMessage(destroySet, flags, sequence)
  writer.netfilterHeader(family, 0)
  writer.u8(attributes.protocol, protocol)
  writer.string(attributes.name, name)
  writer.endMessage(start)
  try {
    socket.request(writer.written(), sequence, () => `destroy set ${name}`)
    return true
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error
    const { errno } = error
    if (errno === errnoNumbers.ENOENT || errno === errnoNumbers.EINVAL) return false
    throw error
  }
}
