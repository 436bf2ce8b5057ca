import { AttributeReader } from './attribute-reader.ts'
import { align } from './attribute-writer.ts'

/** NLMSG_* message types below NLMSG_MIN_TYPE. linux/netlink.h */
export const controlMessages = { noop: 1, error: 2, done: 3, overrun: 4 } as const

/** NLM_F_* flags of requests and answers. linux/netlink.h */
export const messageFlags = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  dumpInterrupted: 0x10,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  /** Of NLMSG_ERROR: the request's payload is not repeated (NLM_F_CAPPED). */
  capped: 0x100,
  /** Of NLMSG_ERROR: attributes follow (NLM_F_ACK_TLVS). */
  ackAttributes: 0x200,
} as const

/** sizeof(struct nlmsghdr) */
export const headerBytes = 16

/** A cursor over the messages of one or more datagrams. The first broken length sticks as `fault`. */
export class MessageReader {
  type = 0
  flags = 0
  sequence = 0
  portId = 0
  /** Offset of the message's header, of its payload, and of the byte after it. */
  header = 0
  start = 0
  end = 0
  fault: string | undefined
  readonly #view: DataView
  readonly #limit: number
  #cursor: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#cursor = start
    this.#limit = Math.min(end, bytes.length)
  }

  /** Moves to the next message; false at the end and after a fault. */
  next(): boolean {
    const at = this.#cursor
    const left = this.#limit - at
    if (left <= 0 || this.fault !== undefined) return false
    const size = left < headerBytes ? 0 : this.#view.getUint32(at, true)
    if (size < headerBytes || size > left) {
      this.fault =
        left < headerBytes
          ? `${left} bytes left, expected a message header of ${headerBytes}`
          : `message of ${size} bytes, expected ${headerBytes}..${left}`
      return false
    }
    this.type = this.#view.getUint16(at + 4, true)
    this.flags = this.#view.getUint16(at + 6, true)
    this.sequence = this.#view.getUint32(at + 8, true)
    this.portId = this.#view.getUint32(at + 12, true)
    this.header = at
    this.start = at + headerBytes
    this.end = at + size
    this.#cursor = at + align(size)
    return true
  }
}

/** What NLMSG_ERROR says; errno 0 is an acknowledgement. */
export interface ErrorMessage {
  readonly sequence: number
  /** Positive. */
  readonly errno: number
  /** NLMSGERR_ATTR_MSG: the kernel's own words. */
  readonly text?: string
  /** NLMSGERR_ATTR_OFFS: offset of the attribute that was refused, from the request's header. */
  readonly attributeOffset?: number
}

/** Decodes the NLMSG_ERROR or NLMSG_DONE message at the cursor. A payload that is too short for an errno
 *  counts as errno 0 in NLMSG_DONE (older kernels send none) and as EPROTO (71) in NLMSG_ERROR. */
export function decodeErrorMessage(reader: MessageReader, bytes: Uint8Array): ErrorMessage {
  const { start, end, sequence, flags, type } = reader
  if (end - start < 4) return { sequence, errno: type === controlMessages.done ? 0 : 71 }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const errno = Math.abs(view.getInt32(start, true))
  if ((flags & messageFlags.ackAttributes) === 0) return { sequence, errno }
  let attributes = start + 4
  if (type === controlMessages.error) {
    if (end - attributes < headerBytes) return { sequence, errno }
    // A capped answer repeats only the request's header, whose length is still that of the whole request.
    const isCapped = (flags & messageFlags.capped) !== 0
    const repeated = isCapped ? headerBytes : view.getUint32(attributes, true)
    // A length from outside: more than there is would lead out of the bytes, or by overflow before them.
    if (repeated > end - attributes) return { sequence, errno }
    attributes += align(repeated)
  }
  return { sequence, errno, ...extendedAck(new AttributeReader(bytes, attributes, end)) }
}

function extendedAck(reader: AttributeReader): { text?: string; attributeOffset?: number } {
  const result: { text?: string; attributeOffset?: number } = {}
  while (reader.next()) {
    if (reader.id === 1) {
      const text = reader.string()
      if (text !== undefined) result.text = text
    } else if (reader.id === 2 && reader.length === 4) result.attributeOffset = reader.u32host()
  }
  return result
}
