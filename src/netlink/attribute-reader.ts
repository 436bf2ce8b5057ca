import { align } from './attribute-writer.ts'

/** NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const typeMask = 0x3fff

/** A cursor over the attributes between two offsets. Every length is checked against the enclosing
 *  attribute. The first fault sticks: afterwards `next` is false and `fault` says what was wrong. */
export class AttributeReader {
  readonly bytes: Buffer
  /** Id of the present attribute. */
  id = 0
  /** Offset of the present attribute's value, and of the byte after it. */
  start = 0
  end = 0
  /** What was wrong with the structure, if anything was. */
  fault: string | undefined
  readonly #view: DataView
  #cursor: number
  #limit: number
  /** Cursor and limit of each attribute that was entered. */
  readonly #outer: number[] = []

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#cursor = start
    this.#limit = Math.min(end, bytes.length)
  }

  /** Moves to other bounds of the same bytes and forgets the fault. */
  reset(start: number, end: number): void {
    this.#cursor = start
    this.#limit = Math.min(end, this.bytes.length)
    this.#outer.length = 0
    this.fault = undefined
  }

  /** Moves to the next attribute; false at the end and after a fault. */
  next(): boolean {
    const at = this.#cursor
    const left = this.#limit - at
    if (left <= 0 || this.fault !== undefined) return false
    const size = left < 4 ? 0 : this.#view.getUint16(at, true)
    if (size < 4 || size > left) {
      this.fault =
        left < 4
          ? `${left} bytes left, expected an attribute header of 4`
          : `attribute of ${size} bytes, expected 4..${left}`
      return false
    }
    this.id = this.#view.getUint16(at + 2, true) & typeMask
    this.start = at + 4
    this.end = at + size
    this.#cursor = at + align(size)
    return true
  }

  /** Bytes of the present attribute's value. */
  get length(): number {
    return this.end - this.start
  }

  /** Goes into the present attribute: `next` then walks over its members. */
  enter(): void {
    this.#outer.push(this.#cursor, this.#limit)
    this.#cursor = this.start
    this.#limit = this.end
  }

  /** Goes back behind the attribute that was entered last, wherever in it the cursor is. */
  leave(): void {
    this.#limit = this.#outer.pop() ?? 0
    this.#cursor = this.#outer.pop() ?? 0
  }

  /** The values below need a `length` of at least their size: compare first, or the result is that of
   *  neighbouring bytes. Beyond the buffer they throw a RangeError. */
  u8(): number {
    return this.#view.getUint8(this.start)
  }

  u16be(): number {
    return this.#view.getUint16(this.start, false)
  }

  u16host(): number {
    return this.#view.getUint16(this.start, true)
  }

  u32be(): number {
    return this.#view.getUint32(this.start, false)
  }

  s32be(): number {
    return this.#view.getInt32(this.start, false)
  }

  u32host(): number {
    return this.#view.getUint32(this.start, true)
  }

  u64be(): bigint {
    return this.#view.getBigUint64(this.start, false)
  }

  u64host(): bigint {
    return this.#view.getBigUint64(this.start, true)
  }

  /** A copy of the value's bytes. */
  copy(): Uint8Array {
    return new Uint8Array(this.bytes.subarray(this.start, this.end))
  }

  /** The value's bytes as a byte string. */
  byteString(): string {
    return this.bytes.toString('latin1', this.start, this.end)
  }

  /** UTF-8 up to the closing NULs; undefined when a NUL stands inside. */
  string(): string | undefined {
    let end = this.end
    while (end > this.start && this.bytes[end - 1] === 0) end--
    const text = this.bytes.toString('utf8', this.start, end)
    return text.includes('\0') ? undefined : text
  }
}
