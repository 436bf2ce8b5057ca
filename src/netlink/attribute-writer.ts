/** Largest attribute, header included: nla_len has 16 bits. */
export const maximumAttributeBytes = 0xffff

/** NLA_F_NESTED */
const nestedFlag = 0x8000
const initialBytes = 4096
/** Little is copied, and what is not needed in the end is never touched. */
const growth = 4

/** Writes netlink messages and their attributes into one growing buffer: no object per attribute.
 *  Everything is aligned to 4 bytes and the padding is zero. */
export class AttributeWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView
  #length = 0

  constructor(bytes: Uint8Array<ArrayBuffer> = new Uint8Array(initialBytes)) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** The buffer, longer than what is written; invalid after the next write. */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#bytes
  }

  /** What is written, as a view; invalid after the next write. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Forgets everything from `length` on. */
  truncate(length = 0): void {
    this.#length = length
  }

  /** Starts a message (struct nlmsghdr, host order) and returns its offset for `endMessage`. */
  beginMessage(type: number, flags: number, sequence: number): number {
    const start = this.#length
    const at = this.claim(16)
    this.#view.setUint32(at, 0, true)
    this.#view.setUint16(at + 4, type, true)
    this.#view.setUint16(at + 6, flags, true)
    this.#view.setUint32(at + 8, sequence, true)
    this.#view.setUint32(at + 12, 0, true)
    return start
  }

  /** Writes the length of the message that began at `start`. */
  endMessage(start: number): void {
    this.#view.setUint32(start, this.#length - start, true)
  }

  /** Adds flags (NLM_F_*) to the message at `start`. */
  addMessageFlags(start: number, flags: number): void {
    this.#view.setUint16(start + 6, this.#view.getUint16(start + 6, true) | flags, true)
  }

  /** Bytes of a fixed structure, padded with zeros to 4 bytes. */
  structure(bytes: Uint8Array): void {
    const at = this.claim(align(bytes.length))
    this.#bytes.set(bytes, at)
    this.#bytes.fill(0, at + bytes.length, this.#length)
  }

  /** struct nfgenmsg: family, version 0, resource id in network order. */
  netfilterHeader(family: number, resourceId: number): void {
    const at = this.claim(4)
    this.#view.setUint16(at, family, true)
    this.#view.setUint16(at + 2, resourceId, false)
  }

  /** Opens a nest and returns its offset for `close`. */
  nest(id: number): number {
    return this.#header(id | nestedFlag, 4)
  }

  /** Writes the length of the nest that was opened at `start`. */
  close(start: number): void {
    const length = this.#length - start
    if (length > maximumAttributeBytes) {
      throw new RangeError(
        `netlink: a nested attribute of ${length} bytes, expected at most ${maximumAttributeBytes}`,
      )
    }
    this.#view.setUint16(start, length, true)
  }

  flag(id: number): void {
    this.#header(id, 4)
  }

  u8(id: number, value: number): void {
    const at = this.#header(id, 5) + 4
    this.#view.setUint32(at, value & 0xff, true)
  }

  u16be(id: number, value: number): void {
    const at = this.#header(id, 6) + 4
    this.#view.setUint16(at, value, false)
    this.#view.setUint16(at + 2, 0)
  }

  u16host(id: number, value: number): void {
    const at = this.#header(id, 6) + 4
    this.#view.setUint32(at, value & 0xffff, true)
  }

  u32be(id: number, value: number): void {
    const at = this.#header(id, 8) + 4
    this.#view.setUint32(at, value, false)
  }

  s32be(id: number, value: number): void {
    const at = this.#header(id, 8) + 4
    this.#view.setInt32(at, value, false)
  }

  u32host(id: number, value: number): void {
    const at = this.#header(id, 8) + 4
    this.#view.setUint32(at, value, true)
  }

  u64be(id: number, value: bigint): void {
    const at = this.#header(id, 12) + 4
    this.#view.setBigUint64(at, value, false)
  }

  u64host(id: number, value: bigint): void {
    const at = this.#header(id, 12) + 4
    this.#view.setBigUint64(at, value, true)
  }

  bytes(id: number, value: Uint8Array): void {
    const at = this.#header(id, 4 + value.length) + 4
    this.#bytes.set(value, at)
    this.#bytes.fill(0, at + value.length, this.#length)
  }

  /** Each character of `value` is one byte. */
  byteString(id: number, value: string): void {
    const length = value.length
    const at = this.#header(id, 4 + length) + 4
    const bytes = this.#bytes
    for (let index = 0; index < length; index++) bytes[at + index] = value.charCodeAt(index)
    for (let index = at + length; index < this.#length; index++) bytes[index] = 0
  }

  /** UTF-8 with a closing NUL, as libnftnl and the kernel write names. */
  string(id: number, value: string): void {
    const length = Buffer.byteLength(value, 'utf8')
    const at = this.#header(id, 5 + length) + 4
    if (length === value.length) {
      for (let index = 0; index < length; index++) this.#bytes[at + index] = value.charCodeAt(index)
    } else this.#bytes.set(Buffer.from(value, 'utf8'), at)
    this.#bytes.fill(0, at + length, this.#length)
  }

  /** Makes room for `size` raw bytes, counts them as written and returns their offset. The caller
   *  fills all of them through `buffer`. */
  claim(size: number): number {
    const at = this.#length
    const end = at + size
    if (end > this.#bytes.length) this.#grow(end)
    this.#length = end
    return at
  }

  #header(id: number, size: number): number {
    if (size > maximumAttributeBytes) {
      throw new RangeError(
        `netlink: attribute ${id & 0x3fff} of ${size} bytes, expected at most ${maximumAttributeBytes}`,
      )
    }
    const at = this.claim(align(size))
    this.#view.setUint16(at, size, true)
    this.#view.setUint16(at + 2, id, true)
    return at
  }

  #grow(needed: number): void {
    const bytes = roomFor(Math.max(needed, this.#bytes.length * growth))
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}

/** A fresh buffer that is not filled: memory is only taken for the pages that are written. */
export function roomFor(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)
}

/** NLA_ALIGN, NLMSG_ALIGN: the next multiple of 4. */
export function align(length: number): number {
  return (length + 3) & ~3
}
