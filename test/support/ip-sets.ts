import { AttributeWriter } from '../../src/netlink/attribute-writer.ts'
import { messageFlags } from '../../src/netlink/message-reader.ts'
import { NetlinkError } from '../../src/netlink/netlink-error.ts'
import { NetlinkSocket, netlinkProtocols } from '../../src/netlink/socket.ts'

/** IPSET_CMD_CREATE and IPSET_CMD_HEADER of NFNL_SUBSYS_IPSET; linux/netfilter/ipset/ip_set.h */
const commands = { create: (6 << 8) | 2, header: (6 << 8) | 12 } as const

/** Makes a set of ipset, of addresses, in the thread's network namespace. False where the kernel has no
 *  ipset. */
export function createSet(name: string): boolean {
  return ask(commands.create, (writer) => {
    writer.u8(1, 6)
    writer.string(2, name)
    writer.string(3, 'hash:ip')
    writer.u8(4, 0)
    writer.u8(5, 2)
    writer.close(writer.nest(7))
  })
}

/** Whether there is such a set. */
export function hasSet(name: string): boolean {
  return ask(commands.header, (writer) => {
    writer.u8(1, 6)
    writer.string(2, name)
  })
}

function ask(command: number, write: (writer: AttributeWriter) => void): boolean {
  const socket = NetlinkSocket.open('ipset', netlinkProtocols.netfilter)
  try {
    const writer = new AttributeWriter()
    const sequence = socket.reserveSequences()
    const start = writer.beginMessage(command, messageFlags.request | messageFlags.ack, sequence)
    writer.netfilterHeader(2, 0)
    write(writer)
    writer.endMessage(start)
    socket.request(writer.written(), sequence, () => `command ${command}`)
    return true
  } catch (error) {
    if (error instanceof NetlinkError) return false
    throw error
  } finally {
    socket.close()
  }
}
