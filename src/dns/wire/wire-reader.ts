import { type Family, readAddress } from '../../net/address.ts'
import { copyOfBytes } from '../../net/copy-bytes.ts'
import { type DnsName, escapeByte, maxNameBytes } from './name.ts'
import { WireError } from './wire-error.ts'

/** Where the text of a name grows: every byte may take four. */
const text = Buffer.alloc(4 * maxNameBytes)

/** A cursor over the bytes of one message. Every read is checked against `end`, which is narrowed while
 *  the data of a record is read; what does not fit throws a WireError. Names follow compression
 *  pointers anywhere before them (RFC 1035 section 4.1.4). */
export class WireReader {
  readonly #bytes: Uint8Array
  #offset: number
  #end: number
  /** The first name that was read, and where it stands: most others in a message are pointers to it. */
  #firstName: DnsName | undefined
  #firstAt = -1

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes
    this.#offset = offset
    this.#end = bytes.length
  }

  get offset(): number {
    return this.#offset
  }

  /** Bytes up to the end of the part that is being read. */
  get remaining(): number {
    return this.#end - this.#offset
  }

  u8(): number {
    return this.#bytes[this.#take(1)] ?? 0
  }

  u16(): number {
    const at = this.#take(2)
    return ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0)
  }

  u32(): number {
    return this.u16() * 0x10000 + this.u16()
  }

  /** A copy: the buffer of the message may be used again. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count)
    return copyOfBytes(this.#bytes, at, at + count)
  }

  /** The canonical text of an address. */
  address(family: Family): string {
    return readAddress(this.#bytes, this.#take(family === 4 ? 4 : 16), family)
  }

  /** A character string: one length byte, then so many bytes. */
  string(): Uint8Array {
    return this.bytes(this.u8())
  }

  /** Reads `count` bytes with `read`, which must use all of them. */
  part<T>(count: number, read: (reader: WireReader) => T): T {
    const outerEnd = this.#end
    const end = this.#offset + count
    if (end > outerEnd) this.fail(`${count} bytes announced, ${this.remaining} left`)
    this.#end = end
    const value = read(this)
    if (this.#offset !== end) this.fail(`${this.remaining} bytes too many in the record's data`)
    this.#end = outerEnd
    return value
  }

  /** A name, compressed or not. Each pointer must lead before the part that it ends: so no name is a
   *  loop, and none takes longer than the message is. */
  name(): DnsName {
    const start = this.#offset
    let length = 0
    let wireBytes = 1
    let at = start
    let limit = this.#end
    let partStart = at
    let isAside = false
    for (;;) {
      if (at >= limit) this.fail('a name goes on behind the end', at)
      const count = this.#bytes[at] ?? 0
      if (count === 0) break
      if (count >= 0xc0) {
        if (at + 2 > limit) this.fail('a compression pointer goes on behind the end', at)
        const target = ((count & 0x3f) << 8) | (this.#bytes[at + 1] ?? 0)
        if (target >= partStart) this.fail('a compression pointer does not lead backwards', at)
        if (!isAside) this.#offset = at + 2
        if (target === this.#firstAt && at === start) return this.#firstName ?? '.'
        isAside = true
        limit = this.#bytes.length
        at = target
        partStart = target
        continue
      }
      if (count > 63) this.fail('a label of a kind that does not exist', at)
      wireBytes += count + 1
      if (wireBytes > maxNameBytes) this.fail('a name of more than 255 bytes', at)
      if (at + 1 + count > limit) this.fail('a label goes on behind the end', at)
      length = writeLabel(this.#bytes, at + 1, at + 1 + count, length)
      at += count + 1
    }
    if (!isAside) this.#offset = at + 1
    const name = length === 0 ? '.' : text.toString('latin1', 0, length)
    if (this.#firstName === undefined) {
      this.#firstName = name
      this.#firstAt = start
    }
    return name
  }

  fail(reason: string, offset = this.#offset): never {
    throw new WireError(offset, reason)
  }

  #take(count: number): number {
    const at = this.#offset
    if (at + count > this.#end) this.fail(`${count} bytes wanted, ${this.remaining} left`)
    this.#offset = at + count
    return at
  }
}

/** Writes a label with the dot behind it at `length` of the text; gives the length then. */
function writeLabel(bytes: Uint8Array, start: number, end: number, length: number): number {
  let to = length
  for (let at = start; at < end; at++) {
    const code = bytes[at] ?? 0
    if (code > 32 && code < 127 && code !== 46 && code !== 92) text[to++] = code
    else to += text.write(escapeByte(code), to, 'latin1')
  }
  text[to++] = 46
  return to
}
