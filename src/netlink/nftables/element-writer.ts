import type { ByteString } from '../../net/byte-string.ts'
import { type AttributeWriter, align } from '../attribute-writer.ts'
import type { SetElement } from './objects.ts'
import { commentTypes, encodeComment, maximumCommentBytes } from './user-data.ts'

/** Writes an element of a set, or of a map with data: the hot path of a load. The room for the whole element
 *  is claimed once and its bytes are put down in order; no object and no call per attribute. Layout, with
 *  headers of 4 bytes (nla_len, nla_type):
 *  [LIST_ELEM [KEY [VALUE key]] [DATA [VALUE value]] [USERDATA type, length, text, NUL]]. */
export function writeElement(
  writer: AttributeWriter,
  key: ByteString,
  value: ByteString | undefined,
  comment: string | undefined,
): void {
  const isDirect = comment === undefined || isShortAscii(comment)
  if (!isDirect || key.length > 64 || (value !== undefined && value.length > 64)) {
    const verbose = { key, ...(value === undefined ? {} : { value }) }
    writeSetElement(writer, comment === undefined ? verbose : { ...verbose, comment })
    return
  }
  const size =
    12 +
    align(key.length) +
    (value === undefined ? 0 : 8 + align(value.length)) +
    (comment === undefined ? 0 : 4 + align(comment.length + 3))
  let at = writer.claim(size)
  const bytes = writer.buffer
  at = putHeader(bytes, at, size, nested | 1)
  at = putData(bytes, at, 1, key)
  if (value !== undefined) at = putData(bytes, at, 2, value)
  if (comment !== undefined) {
    at = putHeader(bytes, at, comment.length + 7, 6)
    bytes[at] = commentTypes.element
    bytes[at + 1] = comment.length + 1
    putText(bytes, at + 2, comment, align(comment.length + 3) - 2)
  }
}

/** NLA_F_NESTED */
const nested = 0x8000

function putHeader(bytes: Uint8Array, at: number, size: number, id: number): number {
  bytes[at] = size & 0xff
  bytes[at + 1] = size >> 8
  bytes[at + 2] = id & 0xff
  bytes[at + 3] = id >> 8
  return at + 4
}

function putData(bytes: Uint8Array, at: number, id: number, data: ByteString): number {
  const room = align(data.length)
  const inner = putHeader(bytes, at, 8 + room, nested | id)
  return putText(bytes, putHeader(bytes, inner, 4 + data.length, 1), data, room)
}

/** One byte per character, then zeros up to `room`. */
function putText(bytes: Uint8Array, at: number, text: string, room: number): number {
  const length = text.length
  let index = 0
  for (; index < length; index++) bytes[at + index] = text.charCodeAt(index)
  for (; index < room; index++) bytes[at + index] = 0
  return at + room
}

/** Writes any element: verdicts, intervals, timeouts. Same bytes as `writeElement` where both can. */
export function writeSetElement(writer: AttributeWriter, element: SetElement): void {
  const start = writer.nest(1)
  writeData(writer, 1, element.key)
  if (element.value !== undefined) writeData(writer, 2, element.value)
  else if (element.verdict !== undefined) writeVerdict(writer, element.verdict)
  if (element.isIntervalEnd === true) writer.u32be(3, 1)
  if (element.timeoutMs !== undefined) writer.u64be(4, BigInt(element.timeoutMs))
  if (element.expiresInMs !== undefined) writer.u64be(5, BigInt(element.expiresInMs))
  if (element.comment !== undefined) writeComment(writer, element.comment)
  if (element.keyEnd !== undefined) writeData(writer, 10, element.keyEnd)
  writer.close(start)
}

/** NFTA_DATA_VALUE in the attribute `id`. */
function writeData(writer: AttributeWriter, id: number, value: ByteString): void {
  const start = writer.nest(id)
  writer.byteString(1, value)
  writer.close(start)
}

/** NFTA_SET_ELEM_DATA with NFTA_DATA_VERDICT. */
function writeVerdict(
  writer: AttributeWriter,
  verdict: { readonly code: number; readonly chain?: string },
): void {
  const outer = writer.nest(2)
  const inner = writer.nest(2)
  writer.s32be(1, verdict.code)
  if (verdict.chain !== undefined) writer.string(2, verdict.chain)
  writer.close(inner)
  writer.close(outer)
}

/** NFTA_SET_ELEM_USERDATA. */
function writeComment(writer: AttributeWriter, comment: string): void {
  writer.bytes(6, encodeComment(commentTypes.element, comment))
}

function isShortAscii(text: string): boolean {
  if (text.length >= maximumCommentBytes) return false
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false
  return true
}

/** Upper bound of an element's bytes, for packing elements into messages. Derivation: LIST_ELEM 4; key,
 *  data and key end 8 + 64 each (NFT_DATA_VALUE_MAXLEN 64), or a verdict 8 + 12 + chain name 4 + 256;
 *  flags 8; two times 24; user data 4 + 256. */
export const maximumElementBytes = 4 + 3 * 72 + 280 + 8 + 24 + 260
