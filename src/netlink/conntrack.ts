import { readAddress } from '../net/address.ts'
import { type ByteString, fromByteString } from '../net/byte-string.ts'
import type { Decoded } from './attribute-kinds.ts'
import { AttributeReader } from './attribute-reader.ts'
import { AttributeWriter } from './attribute-writer.ts'
import { encodeAttributes } from './attributes.ts'
import {
  type ConntrackFlow,
  type ConntrackTuple,
  decodeFlow,
  flowAttributes,
  type tupleAttributes,
} from './conntrack-flow.ts'
import { errnoNumbers } from './errno.ts'
import { MessageReader, messageFlags } from './message-reader.ts'
import { NetlinkError } from './netlink-error.ts'
import { NetlinkSocket, netlinkProtocols } from './socket.ts'

/** NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_*; linux/netfilter/nfnetlink_conntrack.h */
const subsystem = 1 << 8
const messages = { get: subsystem | 1, delete: subsystem | 2 } as const
const familyHeaderBytes = 4
/** Deletions handed over at once: their answers fit well into the receive buffer. */
const deletionsPerSend = 512

/** CTA_FILTER_F_* */
const filterBits = { source: 1, destination: 2, protocol: 8, sourcePort: 16, destinationPort: 32 }

/** Which flows a dump has. Every given field must match. */
export interface FlowFilter {
  readonly family: 4 | 6
  /** Fields of the tuple as the first packet was sent. */
  readonly original?: Partial<ConntrackTuple>
  readonly mark?: { readonly value: number; readonly mask: number }
}

/** Connection tracking of the network namespace in which it was opened. Synchronous. Needs CAP_NET_ADMIN. */
export class ConntrackConnection {
  readonly #socket: NetlinkSocket
  readonly #writer = new AttributeWriter()

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  static open(): ConntrackConnection {
    return new ConntrackConnection(NetlinkSocket.open('conntrack', netlinkProtocols.netfilter))
  }

  /** Visits the flows that match. The kernel filters from 5.8 on; older kernels send all of the family and the
   *  same filter is applied here. The visitor runs after the whole dump has come. */
  forEachFlow(filter: FlowFilter, visit: (flow: ConntrackFlow) => void): void {
    const bytes = this.#socket.dump(
      (sequence) => this.#dumpRequest(filter, sequence),
      () => `list IPv${filter.family} flows`,
    )
    const messageReader = new MessageReader(bytes)
    const reader = new AttributeReader(bytes)
    while (messageReader.next()) {
      reader.reset(messageReader.start + familyHeaderBytes, messageReader.end)
      const flow = decodeFlow(reader, filter.family)
      if (matches(flow, filter)) visit(flow)
    }
    this.#socket.shrink()
  }

  /** The flows that match, as a list. */
  listFlows(filter: FlowFilter): ConntrackFlow[] {
    const flows: ConntrackFlow[] = []
    this.forEachFlow(filter, (flow) => flows.push(flow))
    return flows
  }

  /** The flow whose answers have this tuple: what a local socket sees as peer and own address leads to where the
   *  client really sent. Undefined when none is tracked so. */
  findByReply(family: 4 | 6, reply: ConntrackTuple): ConntrackFlow | undefined {
    const describe = () => `find the flow answered by ${formatTuple(reply)}`
    try {
      const bytes = this.#socket.dump((sequence) => {
        this.#writer.truncate()
        const start = this.#begin(messages.get, messageFlags.ack, family, sequence)
        encodeAttributes(this.#writer, flowAttributes, { reply: tupleValue(family, reply) })
        this.#writer.endMessage(start)
        return this.#writer.written()
      }, describe)
      const messageReader = new MessageReader(bytes)
      if (!messageReader.next()) return undefined
      const reader = new AttributeReader(bytes)
      reader.reset(messageReader.start + familyHeaderBytes, messageReader.end)
      return decodeFlow(reader, family)
    } catch (error) {
      if (error instanceof NetlinkError && error.errno === errnoNumbers.ENOENT) return undefined
      throw error
    }
  }

  /** Deletes flows that were listed and returns how many were still there. The next packet of each is the
   *  first of a new flow. */
  deleteFlows(flows: readonly ConntrackFlow[]): number {
    let deleted = 0
    for (let at = 0; at < flows.length; at += deletionsPerSend) {
      deleted += this.#deleteSome(flows.slice(at, at + deletionsPerSend))
    }
    return deleted
  }

  /** Deletes all flows of both families. */
  flush(): void {
    this.#writer.truncate()
    const sequence = this.#socket.reserveSequences()
    const start = this.#writer.beginMessage(
      messages.delete,
      messageFlags.request | messageFlags.ack,
      sequence,
    )
    this.#writer.netfilterHeader(0, 0)
    this.#writer.endMessage(start)
    this.#socket.request(this.#writer.written(), sequence, () => 'flush all flows')
  }

  close(): void {
    this.#socket.close()
  }

  #deleteSome(flows: readonly ConntrackFlow[]): number {
    const first = this.#socket.reserveSequences(flows.length)
    this.#writer.truncate()
    flows.forEach((flow, index) => {
      const flags = index === flows.length - 1 ? messageFlags.ack : 0
      const start = this.#begin(messages.delete, flags, flow.family, first + index)
      encodeAttributes(this.#writer, flowAttributes, {
        original: tupleValue(flow.family, flow.original),
        id: flow.id,
        ...(flow.zone === 0 ? {} : { zone: flow.zone }),
      })
      this.#writer.endMessage(start)
    })
    const describe = () => `delete ${flows.length} flows`
    this.#socket.send(this.#writer.written(), describe())
    const answers = this.#socket.collect(first + flows.length - 1, flows.length, describe)
    const gone = answers.filter((answer) => answer.errno === errnoNumbers.ENOENT)
    const refused = answers.filter(({ errno }) => errno !== 0 && errno !== errnoNumbers.ENOENT)
    if (refused.length > 0) {
      this.#socket.fail(refused, ({ sequence }) => {
        const flow = flows[sequence - first]
        return `delete flow ${flow === undefined ? '' : formatTuple(flow.original)}`
      })
    }
    return flows.length - gone.length
  }

  #dumpRequest(filter: FlowFilter, sequence: number): Uint8Array {
    const { family, original = {}, mark } = filter
    this.#writer.truncate()
    const start = this.#begin(messages.get, messageFlags.dump, family, sequence)
    const flags = filterFlags(original)
    encodeAttributes(this.#writer, flowAttributes, {
      ...(flags === 0
        ? {}
        : {
            original: tupleValue(family, original),
            filter: { originalFlags: flags, replyFlags: 0 },
          }),
      ...(mark === undefined ? {} : { mark: mark.value, markMask: mark.mask }),
    })
    this.#writer.endMessage(start)
    return this.#writer.written()
  }

  #begin(type: number, flags: number, family: 4 | 6, sequence: number): number {
    const start = this.#writer.beginMessage(type, messageFlags.request | flags, sequence)
    this.#writer.netfilterHeader(family === 4 ? 2 : 10, 0)
    return start
  }
}

/** `protocol 17 10.1.0.2:4000 -> 10.96.0.10:53` */
export function formatTuple(tuple: ConntrackTuple): string {
  const { protocol, source, sourcePort, destination, destinationPort } = tuple
  const from = formatEnd(source, sourcePort)
  return `protocol ${protocol} ${from} -> ${formatEnd(destination, destinationPort)}`
}

function formatEnd(address: ByteString, port: number): string {
  const bytes = fromByteString(address)
  if (bytes.length === 4) return `${readAddress(bytes, 0, 4)}:${port}`
  if (bytes.length === 16) return `[${readAddress(bytes, 0, 6)}]:${port}`
  return `0x${Buffer.from(bytes).toString('hex')}:${port}`
}

function filterFlags(tuple: Partial<ConntrackTuple>): number {
  return (
    (tuple.source === undefined ? 0 : filterBits.source) |
    (tuple.destination === undefined ? 0 : filterBits.destination) |
    // The kernel compares ports only together with the protocol.
    (tuple.protocol === undefined ? 0 : filterBits.protocol) |
    (tuple.sourcePort === undefined ? 0 : filterBits.sourcePort) |
    (tuple.destinationPort === undefined ? 0 : filterBits.destinationPort)
  )
}

function matches(flow: ConntrackFlow, { original = {}, mark }: FlowFilter): boolean {
  const found = flow.original
  const isMarked = mark === undefined || ((flow.mark ^ mark.value) & mark.mask) === 0
  return (
    isMarked &&
    (original.protocol ?? found.protocol) === found.protocol &&
    (original.source ?? found.source) === found.source &&
    (original.destination ?? found.destination) === found.destination &&
    (original.sourcePort ?? found.sourcePort) === found.sourcePort &&
    (original.destinationPort ?? found.destinationPort) === found.destinationPort
  )
}

function tupleValue(
  family: 4 | 6,
  tuple: Partial<ConntrackTuple>,
): Decoded<typeof tupleAttributes> {
  const { source, destination, protocol, sourcePort, destinationPort } = tuple
  const bytes = (text: string | undefined) =>
    text === undefined ? undefined : fromByteString(text)
  const from = bytes(source)
  const to = bytes(destination)
  return {
    ip: {
      ...(from === undefined ? {} : { [family === 4 ? 'v4Source' : 'v6Source']: from }),
      ...(to === undefined ? {} : { [family === 4 ? 'v4Destination' : 'v6Destination']: to }),
    },
    protocol: {
      ...(protocol === undefined ? {} : { number: protocol }),
      ...(sourcePort === undefined ? {} : { sourcePort }),
      ...(destinationPort === undefined ? {} : { destinationPort }),
    },
  }
}
