import type { SocketAddress } from '../socket-address.ts'
import { addressOfSocket, decodeSocketAddress, socketAddressRoom } from './socket-address-bytes.ts'
import { families, ipOptions, ipv6Options, levels } from './socket-constants.ts'
import { systemCalls } from './system-calls.ts'

const room = new Uint8Array(socketAddressRoom)
const roomLength = new Uint8Array(4)

/** Where the client of a connection wanted to go: what conntrack remembers of a redirect (SO_ORIGINAL_DST), else
 *  the local address, which TPROXY leaves as it was. */
export function originalDestination(fd: number): SocketAddress | undefined {
  const local = addressOfSocket(fd, 'local')
  if (local === undefined) return undefined
  const isIpv6 = local.address.includes(':')
  const level = isIpv6 ? levels.IPPROTO_IPV6 : levels.IPPROTO_IP
  const name = isIpv6 ? ipv6Options.IP6T_SO_ORIGINAL_DST : ipOptions.SO_ORIGINAL_DST
  room[0] = isIpv6 ? families.AF_INET6 : families.AF_INET
  roomLength[0] = socketAddressRoom
  const isKnown = systemCalls().getsockopt(fd, level, name, room, roomLength) === 0
  return isKnown ? decodeSocketAddress(room) : local
}
