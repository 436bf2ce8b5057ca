import type { ByteString } from '../../net/byte-string.ts'
import type { AttributeWriter } from '../attribute-writer.ts'
import type { SetElement } from './objects.ts'
import { commentTypes, encodeComment, maximumCommentBytes } from './user-data.ts'

/** Writes an element of a set, or of a map with data: the hot path of a load, without an object per
 *  element. Layout, with attribute headers of 4 bytes (nla_len, nla_type):
 *  [LIST_ELEM [KEY [VALUE key]] [DATA [VALUE value]] [USERDATA type length text NUL]]. */
export function writeElement(
  writer: AttributeWriter,
  key: ByteString,
  value: ByteString | undefined,
  comment: string | undefined,
): void {
  const element = writer.nest(1)
  writeData(writer, 1, key)
  if (value !== undefined) writeData(writer, 2, value)
  if (comment !== undefined) writeComment(writer, comment)
  writer.close(element)
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

/** NFTA_SET_ELEM_USERDATA. An ASCII text that fits is written as it is, others are encoded and cut. */
function writeComment(writer: AttributeWriter, comment: string): void {
  if (comment.length < maximumCommentBytes && isAscii(comment)) {
    writer.byteString(
      6,
      `${String.fromCharCode(commentTypes.element, comment.length + 1)}${comment}\0`,
    )
  } else writer.bytes(6, encodeComment(commentTypes.element, comment))
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false
  return true
}

/** Upper bound of an element's bytes, for packing elements into messages. Derivation: LIST_ELEM 4; key,
 *  data and key end 8 + 64 each (NFT_DATA_VALUE_MAXLEN 64), or a verdict 8 + 12 + chain name 4 + 256;
 *  flags 8; two times 24; user data 4 + 256. */
export const maximumElementBytes = 4 + 3 * 72 + 280 + 8 + 24 + 260
