import type { ByteString } from '../../net/byte-string.ts'

/** 16 words of 4 bytes: registers 8..23 (NFT_REG32_00..15); 1..4 (NFT_REG_1..4) are four words each. */
const wordCount = 16

/** The data registers of one rule. Every access throws with a reason when the kernel would refuse the
 *  rule: an unknown register, one that reaches past the end, one that no expression has written. */
export class Registers {
  readonly #bytes = Buffer.alloc(wordCount * 4)
  #written = 0

  /** What a branch of the rule must find again. */
  save(): { readonly bytes: Buffer; readonly written: number } {
    return { bytes: Buffer.from(this.#bytes), written: this.#written }
  }

  restore(saved: { readonly bytes: Buffer; readonly written: number }): void {
    saved.bytes.copy(this.#bytes)
    this.#written = saved.written
  }

  /** `length` bytes from the register on. */
  read(register: number | undefined, length: number): ByteString {
    const start = this.#start(register, length)
    const mask = wordMask(start, length)
    if ((this.#written & mask) !== mask) {
      throw new Error(`register ${register} is read before it is written; the kernel refuses that`)
    }
    return this.#bytes.toString('latin1', start, start + length)
  }

  /** Stores bytes; the rest of the last word becomes zero, as in the kernel. */
  write(register: number | undefined, value: ByteString): void {
    const start = this.#start(register, value.length)
    const end = start + Math.ceil(value.length / 4) * 4
    for (let at = start; at < end; at++) {
      this.#bytes[at] = at - start < value.length ? value.charCodeAt(at - start) : 0
    }
    this.#written |= wordMask(start, value.length)
  }

  /** A word in host byte order (marks, numbers of numgen, address types). */
  readHost(register: number | undefined): number {
    return hostNumber(this.read(register, 4))
  }

  writeHost(register: number | undefined, value: number): void {
    this.write(register, hostBytes(value))
  }

  #start(register: number | undefined, length: number): number {
    const word = wordOf(register)
    if (word === undefined) throw new Error(`register ${register} does not exist`)
    if (length < 1 || word * 4 + length > wordCount * 4) {
      throw new Error(`${length} bytes do not fit from register ${register} on`)
    }
    return word * 4
  }
}

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** A 32-bit number in the byte order of this machine. */
export function hostBytes(value: number): ByteString {
  const [a, b, c, d] = [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]
  return isLittleEndian ? String.fromCharCode(a, b, c, d) : String.fromCharCode(d, c, b, a)
}

/** The number that four bytes are in the byte order of this machine. */
export function hostNumber(bytes: ByteString): number {
  const at = (index: number): number => bytes.charCodeAt(isLittleEndian ? index : 3 - index)
  return (at(0) | (at(1) << 8) | (at(2) << 16) | (at(3) << 24)) >>> 0
}

function wordOf(register: number | undefined): number | undefined {
  if (register === undefined || !Number.isInteger(register)) return undefined
  if (register >= 1 && register <= 4) return (register - 1) * 4
  return register >= 8 && register < 8 + wordCount ? register - 8 : undefined
}

function wordMask(startBytes: number, lengthBytes: number): number {
  const words = Math.ceil(lengthBytes / 4)
  return ((1 << words) - 1) << (startBytes / 4)
}
