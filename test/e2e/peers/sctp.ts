import { setTimeout as wait } from 'node:timers/promises'
import { familyOf } from '../../../src/net/address.ts'
import { RawSocket } from './raw-socket.ts'
import type { Target } from './requests.ts'

/** The machines that run the tests have no SCTP sockets, so peers speak its first two packets (RFC 9260
 *  sections 3.3.2 and 3.3.3) over raw sockets: INIT, and INIT ACK with the answer as its state cookie. */
const protocol = 132
const chunkInit = 1
const chunkInitAck = 2
const parameterStateCookie = 7
const commonHeaderBytes = 12
/** Chunk header, initiate tag, window, two stream counts, initial sequence number. */
const initBytes = 20

/** Answers every INIT to the port. Serves until the process ends. */
export function serveSctp(port: number, answer: (source: string) => string): void {
  for (const family of [4, 6] as const) {
    const socket: RawSocket = new RawSocket(family, protocol, (bytes, source) => {
      const init = parsePacket(bytes)
      if (init?.chunk !== chunkInit || init.destinationPort !== port) return
      const ports = { sourcePort: port, destinationPort: init.sourcePort }
      const cookie = Buffer.from(answer(source))
      socket.send(packet({ ...ports, tag: init.initiateTag, chunk: chunkInitAck, cookie }), source)
    })
  }
}

let nextSourcePort = 20_000

/** Sends an INIT from a fresh port and waits for the text in the INIT ACK. Rejects with `timeout`, or with
 *  ECONNREFUSED when an ICMP error says that the port cannot be reached. */
export async function askSctp(target: Target, timeoutMs: number): Promise<string> {
  const sourcePort = nextSourcePort++
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const family = familyOf(target.address)
  const socket = new RawSocket(family, protocol, (bytes, source) => {
    const ack = parsePacket(bytes)
    const isOurs = ack?.destinationPort === sourcePort && source === target.address
    if (ack?.chunk === chunkInitAck && isOurs) resolve(ack.cookie)
  })
  const errors = new RawSocket(family, portUnreachable[family].protocol, (bytes) => {
    if (refusedSourcePort(bytes, family) !== sourcePort) return
    reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
  })
  const timer = new AbortController()
  try {
    const ports = { sourcePort, destinationPort: target.port }
    const init = packet({ ...ports, tag: 0, chunk: chunkInit, cookie: Buffer.alloc(0) })
    socket.send(init, target.address)
    const timeout = wait(timeoutMs, undefined, { signal: timer.signal }).then(() => {
      throw new Error('timeout')
    })
    return await Promise.race([promise, timeout])
  } finally {
    timer.abort()
    socket.close()
    errors.close()
  }
}

/** ICMP (RFC 792) and ICMPv6 (RFC 4443): protocol number, type, code, bytes of the IP header that is quoted. */
const portUnreachable = {
  4: { protocol: 1, type: 3, code: 3, quotedBytes: 20 },
  6: { protocol: 58, type: 1, code: 4, quotedBytes: 40 },
} as const

/** The source port of the flow that an ICMP error refuses; undefined for every other message. */
function refusedSourcePort(bytes: Uint8Array, family: 4 | 6): number | undefined {
  const { type, code, quotedBytes } = portUnreachable[family]
  const start = 8 + quotedBytes
  if (bytes[0] !== type || bytes[1] !== code || bytes.length < start + 2) return undefined
  return Buffer.from(bytes).readUInt16BE(start)
}

interface PacketFields {
  readonly sourcePort: number
  readonly destinationPort: number
  /** Verification tag: zero in an INIT, the peer's initiate tag in its answer. */
  readonly tag: number
  readonly chunk: number
  readonly cookie: Uint8Array
}

function packet(fields: PacketFields): Buffer {
  const parameterBytes =
    fields.cookie.length === 0 ? 0 : 4 + Math.ceil(fields.cookie.length / 4) * 4
  const bytes = Buffer.alloc(commonHeaderBytes + initBytes + parameterBytes)
  bytes.writeUInt16BE(fields.sourcePort, 0)
  bytes.writeUInt16BE(fields.destinationPort, 2)
  bytes.writeUInt32BE(fields.tag, 4)
  const chunk = bytes.subarray(commonHeaderBytes)
  chunk.writeUInt8(fields.chunk, 0)
  chunk.writeUInt16BE(initBytes + parameterBytes, 2)
  chunk.writeUInt32BE(0x1000_0000 + fields.sourcePort, 4)
  chunk.writeUInt32BE(65_535, 8)
  chunk.writeUInt16BE(1, 12)
  chunk.writeUInt16BE(1, 14)
  chunk.writeUInt32BE(1, 16)
  if (parameterBytes > 0) {
    chunk.writeUInt16BE(parameterStateCookie, initBytes)
    chunk.writeUInt16BE(4 + fields.cookie.length, initBytes + 2)
    chunk.set(fields.cookie, initBytes + 4)
  }
  bytes.writeUInt32LE(crc32c(bytes), 8)
  return bytes
}

function parsePacket(payload: Uint8Array) {
  const bytes = Buffer.from(payload)
  if (bytes.length < commonHeaderBytes + initBytes) return undefined
  const chunk = bytes.subarray(commonHeaderBytes)
  const cookieBytes = chunk.length >= initBytes + 4 ? chunk.readUInt16BE(initBytes + 2) - 4 : 0
  return {
    sourcePort: bytes.readUInt16BE(0),
    destinationPort: bytes.readUInt16BE(2),
    chunk: chunk.readUInt8(0),
    initiateTag: chunk.readUInt32BE(4),
    cookie: chunk.subarray(initBytes + 4, initBytes + 4 + cookieBytes).toString(),
  }
}

/** Castagnoli's polynomial, reflected (RFC 9260 appendix A). Conntrack drops packets without it. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0)
  }
  return (crc ^ 0xffff_ffff) >>> 0
}
