import { addressBytes, type Family, writeAddress } from '../../net/address.ts'
import type { ByteString } from '../../net/byte-string.ts'
import type { Flow } from '../../net/flow.ts'
import { protocolNumber } from '../../net/protocol.ts'

/** The packet under way: where it goes changes with destination NAT. */
export interface Packet {
  readonly flow: Flow
  readonly destination: string
  readonly destinationPort: number
  /** Headers as bytes, made from the fields above. */
  readonly network: ByteString
  readonly transport: ByteString
}

/** The first packet of a flow. */
export function packetOf(flow: Flow): Packet {
  return readdress(flow, flow.destination, flow.destinationPort)
}

/** The packet after destination NAT. */
export function readdress(flow: Flow, destination: string, destinationPort: number): Packet {
  const transport = transportHeader(flow, destinationPort)
  return {
    flow,
    destination,
    destinationPort,
    network: networkHeader(flow, destination, transport.length).toString('latin1'),
    transport: transport.toString('latin1'),
  }
}

/** RFC 791 and RFC 8200, without options; checksums stay zero, nothing of ours reads them. */
function networkHeader(flow: Flow, destination: string, payloadBytes: number): Buffer {
  const header = Buffer.alloc(flow.family === 4 ? 20 : 40)
  if (flow.family === 4) {
    header.writeUInt8(0x45, 0)
    header.writeUInt16BE(header.length + payloadBytes, 2)
    header.writeUInt8(64, 8)
    header.writeUInt8(protocolNumber(flow.protocol), 9)
  } else {
    header.writeUInt8(0x60, 0)
    header.writeUInt16BE(payloadBytes, 4)
    header.writeUInt8(protocolNumber(flow.protocol), 6)
    header.writeUInt8(64, 7)
  }
  const { source, target } = addressOffsets(flow.family)
  writeAddress(header, source, flow.source)
  writeAddress(header, target, destination)
  return header
}

function addressOffsets(family: Family): { source: number; target: number } {
  const source = family === 4 ? 12 : 8
  return { source, target: source + addressBytes(family) }
}

/** Fixed header bytes: TCP (RFC 9293), UDP (RFC 768), SCTP common header and INIT chunk (RFC 9260). */
const transportBytes = { TCP: 20, UDP: 8, SCTP: 32 } as const

function transportHeader(flow: Flow, destinationPort: number): Buffer {
  const header = Buffer.alloc(transportBytes[flow.protocol])
  header.writeUInt16BE(flow.sourcePort, 0)
  header.writeUInt16BE(destinationPort, 2)
  if (flow.protocol === 'TCP') header.writeUInt16BE(0x5002, 12)
  if (flow.protocol === 'UDP') header.writeUInt16BE(header.length, 4)
  if (flow.protocol === 'SCTP') header.writeUInt8(1, 12)
  return header
}
