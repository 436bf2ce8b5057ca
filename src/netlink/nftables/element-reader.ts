import type { ByteString } from '../../net/byte-string.ts'
import { DecodeError } from '../../net/decode-error.ts'
import { AttributeReader } from '../attribute-reader.ts'
import { decodeAttributes } from '../attributes.ts'
import { counter } from './expressions.ts'
import { elementListAttributes } from './object-tables.ts'
import type { SetElement } from './objects.ts'
import { decodeComment } from './user-data.ts'

/** Gets each element: `value` of a data map; `rest` has what few elements have (verdict, interval end,
 *  times) and is undefined for the others. */
export type ElementVisitor = (
  key: ByteString,
  value: ByteString | undefined,
  comment: string | undefined,
  rest: ElementRest | undefined,
) => void

/** What of a SetElement is not handed over as key, value and comment. */
export type ElementRest = Omit<SetElement, 'key' | 'value' | 'comment'>

/** Visits the elements in the attributes of an NFT_MSG_NEWSETELEM message between `start` and `end`: the hot
 *  path of a restart. An element that it does not understand at once is decoded by the tables, which also
 *  raise the DecodeError of a broken one. */
export function visitElements(
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: ElementVisitor,
): void {
  const reader = new AttributeReader(bytes, start, end)
  while (reader.next()) {
    if (reader.id !== elementListAttributes.elements.id) continue
    reader.enter()
    visitList(reader, visit)
    reader.leave()
  }
  if (reader.fault !== undefined) raise(bytes, start, end, reader.fault)
}

function visitList(reader: AttributeReader, visit: ElementVisitor): void {
  while (reader.next()) {
    if (reader.id === elementListAttributes.elements.element) visitElement(reader, visit)
  }
}

function visitElement(reader: AttributeReader, visit: ElementVisitor): void {
  const { start, end } = reader
  let key: ByteString | undefined
  let value: ByteString | undefined
  let comment: string | undefined
  let isPlain = true
  reader.enter()
  while (reader.next()) {
    const { id } = reader
    if (id === 1) key = plainValue(reader)
    else if (id === 2) {
      value = plainValue(reader)
      if (value === undefined) isPlain = false
    } else if (id === 6) comment = elementComment(reader)
    else if (id === 3 || id === 4 || id === 5 || id === 7 || id === 10) isPlain = false
  }
  reader.leave()
  if (isPlain && key !== undefined && reader.fault === undefined)
    visit(key, value, comment, undefined)
  else if (reader.fault === undefined) visitByTable(reader.bytes, start, end, visit)
}

/** The bytes of a nest that holds exactly one NFTA_DATA_VALUE; undefined for anything else. */
function plainValue(reader: AttributeReader): ByteString | undefined {
  const { bytes, start, end } = reader
  const isPlain =
    end - start > 4 &&
    bytes[start + 2] === 1 &&
    ((bytes[start + 3] ?? 0) & 0x3f) === 0 &&
    start + (bytes[start] ?? 0) + (bytes[start + 1] ?? 0) * 256 === end
  return isPlain ? bytes.toString('latin1', start + 4, end) : undefined
}

/** One comment that fills the user data is cut out; anything else goes through the general decoder. */
function elementComment(reader: AttributeReader): string | undefined {
  const { bytes, start, end } = reader
  const size = bytes[start + 1] ?? 0
  if (end - start >= 3 && bytes[start] === 0 && size === end - start - 2 && bytes[end - 1] === 0) {
    return bytes.toString('utf8', start + 2, end - 1)
  }
  return decodeComment(0, bytes.subarray(start, end))
}

function visitByTable(bytes: Uint8Array, start: number, end: number, visit: ElementVisitor): void {
  const table = elementListAttributes.elements.nest
  const element = decodeAttributes(table, bytes, 'nf_tables set element', start, end)
  const verdict = element.data?.verdict
  const rest: ElementRest = {
    ...(element.keyEnd?.value === undefined ? {} : { keyEnd: text(element.keyEnd.value) }),
    ...(verdict?.code === undefined
      ? {}
      : {
          verdict: {
            code: verdict.code,
            ...(verdict.chain === undefined ? {} : { chain: verdict.chain }),
          },
        }),
    ...(((element.flags ?? 0) & 1) === 0 ? {} : { isIntervalEnd: true }),
    ...(element.timeoutMs === undefined ? {} : { timeoutMs: Number(element.timeoutMs) }),
    ...(element.expiresInMs === undefined ? {} : { expiresInMs: Number(element.expiresInMs) }),
    ...counted(element.expression),
  }
  const value = element.data?.value
  visit(
    element.key?.value === undefined ? '' : text(element.key.value),
    value === undefined ? undefined : text(value),
    decodeComment(0, element.userData),
    rest,
  )
}

function counted(
  expression: { readonly name?: string; readonly data?: Uint8Array } | undefined,
): Pick<ElementRest, 'counted'> {
  if (expression?.name !== 'counter' || expression.data === undefined) return {}
  const { packets = 0n, bytes = 0n } = decodeAttributes(
    counter,
    expression.data,
    'nf_tables counter of an element',
  )
  return { counted: { packets, bytes } }
}

function text(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes).toString('latin1')
}

/** The tables find the fault again and say where it is; one that they pass over is raised as it is. */
function raise(bytes: Uint8Array, start: number, end: number, fault: string): never {
  const source = 'nf_tables set elements'
  decodeAttributes(elementListAttributes, bytes, source, start, end)
  throw new DecodeError(source, [{ path: [], value: fault, expected: 'whole attributes' }])
}
