import { hash } from 'node:crypto'
import { AttributeWriter } from '../../netlink/attribute-writer.ts'
import type { Rule as KernelRule } from '../../netlink/nftables/objects.ts'
import { encodeExpressions } from '../../netlink/nftables/rule-codec.ts'
import type { RuleBounds } from '../../netlink/nftables/rule-reader.ts'
import {
  commentTypes,
  encodeComment,
  maximumCommentBytes,
} from '../../netlink/nftables/user-data.ts'

/** Bytes of an attribute's header: length and type, 16 bits each, host order. */
const headerBytes = 4
/** NLA_F_NESTED: we set it, the kernel's dumps of nf_tables do not. */
const nestedFlag = 0x8000
/** The name of an expression as the first attribute of a list element: `cou` is a counter, which is not
 *  compared. */
const nameAt = 2 * headerBytes
const lengthBytes = Buffer.alloc(4)
const counterLetters = Buffer.from('cou').readUIntLE(0, 3)

/** What a chain holds, in few characters: equal for a chain as we would write it and as the kernel dumps it.
 *  Both go through one form without counters and flags. */
export class ChainDigest {
  #bytes = Buffer.alloc(1 << 16)
  #length = 0
  readonly #writer = new AttributeWriter()

  /** Adds a rule as it would be written. */
  addWanted({ expressions, encodedExpressions, comment }: KernelRule): void {
    let encoded = encodedExpressions
    if (encoded === undefined) {
      this.#writer.truncate()
      encodeExpressions(this.#writer, expressions)
      encoded = this.#writer.written()
    }
    const start = this.#length
    this.#addExpressions(
      Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length),
      0,
      encoded.length,
    )
    clearFlags(this.#bytes, start, this.#length)
    if (comment !== undefined) this.#addComment(comment)
    this.#endRule(start)
  }

  /** Adds a rule of the kernel. */
  addDumped(dump: Uint8Array, { start, end, userDataStart, userDataEnd }: RuleBounds): void {
    const bytes = Buffer.from(dump.buffer, dump.byteOffset, dump.byteLength)
    const first = this.#length
    this.#addExpressions(bytes, start, end)
    this.#add(bytes, userDataStart, userDataEnd)
    this.#endRule(first)
  }

  /** The digest of the rules since the last call. */
  take(): string {
    const digest = hash('sha256', this.#bytes.subarray(0, this.#length), 'base64')
    this.#length = 0
    return digest
  }

  #addExpressions(bytes: Buffer, start: number, end: number): void {
    let from = start
    for (let at = start; at + nameAt + 3 <= end; ) {
      const next = at + align(bytes.readUInt16LE(at))
      if (bytes.readUIntLE(at + nameAt, 3) === counterLetters) {
        this.#add(bytes, from, at)
        from = next
      }
      if (next <= at) break
      at = next
    }
    this.#add(bytes, from, end)
  }

  /** Most comments are short and plain: they are written without an object in between. */
  #addComment(comment: string): void {
    if (comment.length >= maximumCommentBytes || !/^[\x20-\x7e]*$/.test(comment)) {
      const userData = encodeComment(commentTypes.rule, comment)
      this.#add(Buffer.from(userData), 0, userData.length)
      return
    }
    const length = comment.length + 3
    this.#reserve(length)
    const at = this.#length
    this.#bytes[at] = commentTypes.rule
    this.#bytes[at + 1] = comment.length + 1
    this.#bytes.write(comment, at + 2, 'latin1')
    this.#bytes[at + 2 + comment.length] = 0
    this.#length += length
  }

  /** Rules are told apart by their length. */
  #endRule(start: number): void {
    lengthBytes.writeUInt32LE(this.#length - start)
    this.#add(lengthBytes, 0, lengthBytes.length)
  }

  #add(bytes: Buffer, from: number, to: number): void {
    if (to <= from) return
    this.#reserve(to - from)
    bytes.copy(this.#bytes, this.#length, from, to)
    this.#length += to - from
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const larger = Buffer.alloc(2 * (this.#length + length))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

/** The encoder marks every nest, and nothing else, with the flag. List elements are nests. */
function clearFlags(bytes: Buffer, start: number, end: number): void {
  for (let at = start; at + headerBytes <= end; ) {
    const size = bytes.readUInt16LE(at)
    const type = bytes.readUInt16LE(at + 2)
    if ((type & nestedFlag) !== 0) {
      bytes.writeUInt16LE(type & ~nestedFlag, at + 2)
      clearFlags(bytes, at + headerBytes, at + size)
    }
    if (size < headerBytes) return
    at += align(size)
  }
}

function align(size: number): number {
  return (size + 3) & ~3
}
