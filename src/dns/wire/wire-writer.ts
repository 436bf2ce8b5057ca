import { writeAddress } from '../../net/address.ts'
import { type DnsName, maxLabelBytes, maxNameBytes } from './name.ts'
import { WireError } from './wire-error.ts'

/** RFC 1035 section 4.1.4: a pointer has 14 bits for the offset. */
const maxPointerOffset = 0x3fff

/** Writes the bytes of one message after the other and remembers where names are, for compression. Names are
 *  compared with their case, so that a record's owner is written as it is and not as another spelling. */
export class WireWriter {
  #bytes = new Uint8Array(512)
  #length = 0
  /** The first name of the message and where it is: most others are the same. */
  #firstName: DnsName | undefined
  #firstAt = 0
  /** Places of all names and of their ends, from the first name that is another one. */
  readonly #names = new Map<DnsName, number>()

  /** Forgets the message before. */
  start(): void {
    this.#length = 0
    this.#firstName = undefined
    if (this.#names.size > 0) this.#names.clear()
  }

  get length(): number {
    return this.#length
  }

  /** What was written, as a copy of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  u8(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  u16(value: number): void {
    this.#reserve(2)
    this.#bytes[this.#length++] = value >> 8
    this.#bytes[this.#length++] = value
  }

  u32(value: number): void {
    this.u16(value >>> 16)
    this.u16(value & 0xffff)
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** A character string. Throws a WireError when it has more than 255 bytes. */
  string(value: Uint8Array): void {
    if (value.length > 255) throw new WireError(this.#length, 'a string of more than 255 bytes')
    this.u8(value.length)
    this.bytes(value)
  }

  /** A canonical address of 4 or 16 bytes. */
  address(text: string, byteCount: 4 | 16): void {
    this.#reserve(byteCount)
    writeAddress(this.#bytes, this.#length, text)
    this.#length += byteCount
  }

  /** Data behind its length of 16 bits. */
  sized(write: () => void): void {
    const start = this.startSized()
    write()
    this.endSized(start)
  }

  /** Begins what `sized` writes as a whole: gives what `endSized` must be told. */
  startSized(): number {
    this.u16(0)
    return this.#length
  }

  endSized(start: number): void {
    const count = this.#length - start
    if (count > 0xffff) throw new WireError(start, 'data of more than 65535 bytes')
    this.#bytes[start - 2] = count >> 8
    this.#bytes[start - 1] = count
  }

  /** A name; `isCompressed` lets a pointer stand for what was written before. Where pointers are not
   *  allowed (RFC 3597 section 4) the name is written out, and can still be pointed at. */
  name(name: DnsName, isCompressed: boolean): void {
    const isFirst = this.#firstName === undefined && this.#names.size === 0
    if (isFirst && this.#length <= maxPointerOffset && !name.includes('\\')) {
      this.#firstName = name
      this.#firstAt = this.#length
      this.#plainName(name)
      return
    }
    if (this.#firstName === name && isCompressed && name !== '.') {
      this.u16(0xc000 | this.#firstAt)
      return
    }
    if (this.#names.size === 0) this.#rememberFirst()
    const start = this.#length
    let rest = name
    while (rest !== '.') {
      const known = this.#names.get(rest)
      if (known !== undefined) {
        if (isCompressed) {
          this.u16(0xc000 | known)
          return
        }
      } else if (this.#length <= maxPointerOffset) this.#names.set(rest, this.#length)
      rest = this.#label(rest)
      if (this.#length - start >= maxNameBytes) this.#failName(name)
    }
    this.u8(0)
  }

  /** A name without escapes. */
  #plainName(name: DnsName): void {
    const textLength = name === '.' ? 0 : name.length
    if (textLength >= maxNameBytes) this.#failName(name)
    this.#reserve(textLength + 1)
    const bytes = this.#bytes
    const start = this.#length
    // Each label's length takes the place of the dot before it.
    let labelAt = start
    for (let index = 0; index < textLength; index++) {
      const code = name.charCodeAt(index)
      const at = start + index + 1
      if (code !== 46) {
        if (code > 255) this.#failName(name)
        bytes[at] = code
        continue
      }
      const count = at - labelAt - 1
      if (count === 0 || count > maxLabelBytes) this.#failName(name)
      bytes[labelAt] = count
      labelAt = at
    }
    if (labelAt !== start + textLength) this.#failName(name)
    bytes[labelAt] = 0
    this.#length = labelAt + 1
  }

  /** Without escapes the places in text and bytes are the same. */
  #rememberFirst(): void {
    const name = this.#firstName
    if (name === undefined || name === '.') return
    for (let index = 0; index < name.length; index = name.indexOf('.', index) + 1) {
      const at = this.#firstAt + index
      if (at <= maxPointerOffset) this.#names.set(name.slice(index), at)
    }
  }

  /** Writes the first label and returns the rest of the name. */
  #label(name: DnsName): DnsName {
    const at = this.#length
    this.u8(0)
    let index = 0
    for (; index < name.length && name[index] !== '.'; index++) {
      let code = name.charCodeAt(index)
      if (code === 92) {
        const digits = name.slice(index + 1, index + 4)
        const isNumber = /^[0-9]{3}$/.test(digits)
        code = isNumber ? Number(digits) : name.charCodeAt(index + 1)
        index += isNumber ? 3 : 1
      }
      if (!(code <= 255)) this.#failName(name)
      this.u8(code)
    }
    const count = this.#length - at - 1
    if (count === 0 || count > maxLabelBytes || index === name.length) this.#failName(name)
    this.#bytes[at] = count
    return index + 1 === name.length ? '.' : name.slice(index + 1)
  }

  #failName(name: DnsName): never {
    throw new WireError(this.#length, `${JSON.stringify(name)} is not a canonical name`)
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
