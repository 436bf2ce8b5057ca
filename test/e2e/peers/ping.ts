import { setTimeout as wait } from 'node:timers/promises'
import { familyOf } from '../../../src/net/address.ts'
import { RawSocket } from './raw-socket.ts'

/** ICMP (RFC 792) and ICMPv6 (RFC 4443): protocol number, echo request, echo reply, port unreachable. */
const messages = {
  4: { protocol: 1, request: 8, reply: 0, unreachable: 3, portCode: 3 },
  6: { protocol: 58, request: 128, reply: 129, unreachable: 1, portCode: 4 },
} as const

/** Sends an echo request and tells what comes back: `reply`, `port-unreachable`, `timeout`. */
export async function ping(address: string, timeoutMs: number): Promise<string> {
  const family = familyOf(address)
  const kind = messages[family]
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = new RawSocket(family, kind.protocol, (bytes, source) => {
    if (bytes[0] === kind.reply && source === address) resolve('reply')
    if (bytes[0] === kind.unreachable && bytes[1] === kind.portCode) resolve('port-unreachable')
  })
  const timer = new AbortController()
  try {
    socket.send(echoRequest(kind.request), address)
    const late = wait(timeoutMs, 'timeout', { signal: timer.signal }).catch(() => 'timeout')
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
    socket.close()
  }
}

/** The kernel fills in the checksum of ICMPv6 only; it is the same sum for IPv4. */
function echoRequest(type: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt8(type, 0)
  bytes.writeUInt16BE(1, 6)
  bytes.writeUInt16BE(~((type << 8) + 1) & 0xffff, 2)
  return bytes
}
