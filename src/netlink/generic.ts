import type { Attributes } from './attribute-kinds.ts'
import { AttributeWriter } from './attribute-writer.ts'
import { decodeAttributes } from './attributes.ts'
import { MessageReader, messageFlags } from './message-reader.ts'
import { NetlinkSocket } from './socket.ts'

/** NETLINK_GENERIC; linux/netlink.h */
const genericProtocol = 16
/** sizeof(struct genlmsghdr): u8 command, u8 version, u16 reserved. */
const headerBytes = 4
/** GENL_ID_CTRL, CTRL_CMD_GETFAMILY; linux/genetlink.h */
const controlFamily = 16
const getFamily = 3
/** Requests are handed over in pieces of about this size, bytes: far below what a socket buffers. */
const pieceBytes = 1 << 18

/** CTRL_ATTR_*; linux/genetlink.h */
export const controlAttributes = {
  familyId: { id: 1, kind: 'u16host' },
  familyName: { id: 2, kind: 'string' },
} as const satisfies Attributes

/** Writes the attributes of a request behind its header. */
export type WriteAttributes = (writer: AttributeWriter) => void

/** One request of many that are handed over together. */
export interface GenericRequest {
  readonly command: number
  readonly write: WriteAttributes
  /** Names operation and object if it is refused. */
  readonly describe: () => string
}

/** What was handed to the kernel. */
export interface SentRequests {
  readonly requests: number
  readonly bytes: number
}

/** One generic netlink family of the network namespace in which it was opened. Everything is synchronous. */
export class GenericConnection {
  readonly #socket: NetlinkSocket
  readonly #writer = new AttributeWriter()
  readonly #family: number
  readonly #version: number

  private constructor(socket: NetlinkSocket, family: number, version: number) {
    this.#socket = socket
    this.#family = family
    this.#version = version
  }

  /** Opens a socket and asks the kernel for the family's number; the kernel loads a module that announces
   *  the family. Throws a NetlinkError (ENOENT) when it has none. `version` is that of the family. */
  static open(name: string, version: number): GenericConnection {
    const socket = NetlinkSocket.open(name, genericProtocol)
    try {
      return new GenericConnection(socket, resolveFamily(socket, name), version)
    } catch (error) {
      socket.close()
      throw error
    }
  }

  /** Hands requests to the kernel, which works on each by itself, in order. Throws a NetlinkError with those
   *  that were refused in the first piece in which any was; what came before and beside them has taken effect. */
  send(requests: readonly GenericRequest[]): SentRequests {
    let bytes = 0
    for (let from = 0; from < requests.length; ) {
      const piece = this.#encodePiece(requests, from)
      bytes += piece.bytes.length
      const describe = () => requests[from]?.describe() ?? 'send requests'
      this.#socket.send(piece.bytes, describe())
      const answers = this.#socket.collect(piece.last, piece.count, describe)
      const errors = answers.filter((answer) => answer.errno !== 0)
      const first = piece.last - piece.count + 1 - from
      if (errors.length > 0) {
        this.#socket.fail(errors, (answer) => {
          return requests[answer.sequence - first]?.describe() ?? `request ${answer.sequence}`
        })
      }
      from += piece.count
    }
    return { requests: requests.length, bytes }
  }

  /** Asks for a list and visits the attributes of each answer (between two offsets). The visitor runs after
   *  the whole list has come. */
  dump(
    command: number,
    write: WriteAttributes,
    describe: () => string,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
  ): void {
    this.#ask(command, messageFlags.dump, write, describe, visit)
  }

  /** Asks for one object and visits its attributes. */
  get(
    command: number,
    write: WriteAttributes,
    describe: () => string,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
  ): void {
    this.#ask(command, messageFlags.ack, write, describe, visit)
  }

  close(): void {
    this.#socket.close()
  }

  /** As many requests as fit into a piece. Only the last asks for an acknowledgement; a refusal is
   *  answered always. */
  #encodePiece(
    requests: readonly GenericRequest[],
    from: number,
  ): { readonly bytes: Uint8Array; readonly count: number; readonly last: number } {
    const writer = this.#writer
    writer.truncate()
    let count = 0
    let start = 0
    let last = 0
    for (let index = from; index < requests.length && writer.length < pieceBytes; index++) {
      const request = requests[index]
      if (request === undefined) break
      last = this.#socket.reserveSequences()
      start = writer.beginMessage(this.#family, messageFlags.request, last)
      writer.structure(Uint8Array.of(request.command, this.#version, 0, 0))
      request.write(writer)
      writer.endMessage(start)
      count++
    }
    writer.addMessageFlags(start, messageFlags.ack)
    return { bytes: writer.written(), count, last }
  }

  #ask(
    command: number,
    flags: number,
    write: WriteAttributes,
    describe: () => string,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
  ): void {
    const header = Uint8Array.of(command, this.#version, 0, 0)
    const makeRequest = (sequence: number): Uint8Array => {
      this.#writer.truncate()
      const all = messageFlags.request | flags
      const start = this.#writer.beginMessage(this.#family, all, sequence)
      this.#writer.structure(header)
      write(this.#writer)
      this.#writer.endMessage(start)
      return this.#writer.written()
    }
    const bytes = this.#socket.dump(makeRequest, describe)
    const reader = new MessageReader(bytes)
    while (reader.next()) visit(bytes, Math.min(reader.start + headerBytes, reader.end), reader.end)
    this.#socket.shrink()
  }
}

function resolveFamily(socket: NetlinkSocket, name: string): number {
  const writer = new AttributeWriter()
  const describe = () => `find generic netlink family ${name}`
  const bytes = socket.dump((sequence) => {
    writer.truncate()
    const flags = messageFlags.request | messageFlags.ack
    const start = writer.beginMessage(controlFamily, flags, sequence)
    writer.structure(Uint8Array.of(getFamily, 1, 0, 0))
    writer.string(controlAttributes.familyName.id, name)
    writer.endMessage(start)
    return writer.written()
  }, describe)
  const reader = new MessageReader(bytes)
  while (reader.next()) {
    const at = Math.min(reader.start + headerBytes, reader.end)
    const found = decodeAttributes(controlAttributes, bytes, describe(), at, reader.end)
    if (found.familyId !== undefined) return found.familyId
  }
  throw new Error(`${name}: ${describe()}: the kernel's answer has no number`)
}
