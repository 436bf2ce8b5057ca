import type { Attributes } from '../attribute-kinds.ts'
import { AttributeReader } from '../attribute-reader.ts'
import { type ErrorMessage, MessageReader } from '../message-reader.ts'
import type { NftablesBatch } from './batch.ts'
import { formatData } from './data-types.ts'
import { visitElements } from './element-reader.ts'
import { messageWords, subsystem, tableFamily } from './messages.ts'
import {
  chainAttributes,
  elementListAttributes,
  ruleAttributes,
  setAttributes,
  tableAttributes,
} from './object-tables.ts'
import type { TableFamily } from './objects.ts'

/** nfgenmsg */
const familyHeaderBytes = 4

/** What a refused message of a committed batch asked for, in nft's words: `add element ip portolan services
 *  10.96.0.10 . tcp . 80`. Nothing is remembered for this while a batch is made: its bytes are read. */
export function describeOperation(
  batch: NftablesBatch,
  bytes: Uint8Array,
  answer: ErrorMessage,
): string {
  const reader = new MessageReader(bytes)
  while (reader.next()) {
    if (reader.sequence !== answer.sequence) continue
    if (reader.type >> 8 !== subsystem) return 'commit the batch'
    const family = tableFamily(bytes[reader.start] ?? 0) ?? 'ip'
    const [operation, object] = messageWords(reader.type & 0xff)
    const words = [operation, object, family, ...names(bytes, reader, object)]
    if (object === 'element') words.push(elementText(batch, family, bytes, reader, answer))
    return words.filter((word) => word !== '').join(' ')
  }
  return 'commit the batch'
}

/** `elements[17].key`: the attribute that the kernel refused, by the names of our tables; ids where those end. */
export function describeAttribute(bytes: Uint8Array, answer: ErrorMessage): string | undefined {
  const { attributeOffset, sequence } = answer
  if (attributeOffset === undefined) return undefined
  const message = new MessageReader(bytes)
  while (message.next()) {
    if (message.sequence !== sequence) continue
    const attributes = new AttributeReader(bytes, message.start + familyHeaderBytes, message.end)
    const [, object] = messageWords(message.type & 0xff)
    return attributePath(attributes, tables[object], message.header + attributeOffset)
  }
  return undefined
}

const tables: Readonly<Record<string, Attributes>> = {
  table: tableAttributes,
  chain: chainAttributes,
  rule: ruleAttributes,
  set: setAttributes,
  element: elementListAttributes,
}

/** Names from the outermost attribute to the one whose header is at `target`. */
function attributePath(
  reader: AttributeReader,
  table: Attributes | undefined,
  target: number,
): string | undefined {
  while (reader.next()) {
    const { id, start, end } = reader
    if (target >= end) continue
    const [name, row] = Object.entries(table ?? {}).find(([, row]) => row.id === id) ?? [`${id}`]
    if (start - 4 === target) return name
    reader.enter()
    const inner =
      row?.kind === 'list'
        ? memberPath(reader, row.nest, target)
        : attributePath(reader, row?.kind === 'nest' ? row.nest : undefined, target)
    return row?.kind === 'list' ? `${name}${inner}` : `${name}.${inner}`
  }
  return undefined
}

function memberPath(reader: AttributeReader, table: Attributes, target: number): string {
  for (let index = 0; reader.next(); index++) {
    if (target >= reader.end) continue
    if (reader.start - 4 === target) return `[${index}]`
    reader.enter()
    return `[${index}].${attributePath(reader, table, target)}`
  }
  return ''
}

/** Ids of the names in each kind of object: table and chain or set; a rule's handle. */
function names(bytes: Uint8Array, message: MessageReader, object: string): string[] {
  const nameId = object === 'chain' ? 3 : object === 'table' ? 1 : 2
  const found: string[] = []
  const reader = new AttributeReader(bytes, message.start + familyHeaderBytes, message.end)
  while (reader.next()) {
    if (reader.id === 1 || reader.id === nameId) found.push(reader.string() ?? '')
    if (object === 'rule' && reader.id === 3) found.push(`handle ${reader.u64be()}`)
  }
  return found
}

/** The element that the kernel points at; without a pointer the first one and how many follow. */
function elementText(
  batch: NftablesBatch,
  family: TableFamily,
  bytes: Uint8Array,
  message: MessageReader,
  answer: ErrorMessage,
): string {
  const [table = '', name = ''] = names(bytes, message, 'element')
  const set = batch.findSet(family, table, name)
  const target = answer.attributeOffset === undefined ? -1 : message.header + answer.attributeOffset
  const index = elementIndex(bytes, message, target)
  const keys: string[] = []
  visitElements(bytes, message.start + familyHeaderBytes, message.end, (key) => keys.push(key))
  const key = keys[Math.max(0, index)]
  if (key === undefined) return '(all)'
  const text = set === undefined ? hex(key) : formatData(set.keyType, set.fieldBytes, key)
  return index < 0 && keys.length > 1 ? `${text} or one of the ${keys.length - 1} after it` : text
}

/** Position of the element whose bytes hold the offset `target`; -1: none. */
function elementIndex(bytes: Uint8Array, message: MessageReader, target: number): number {
  const reader = new AttributeReader(bytes, message.start + familyHeaderBytes, message.end)
  while (reader.next()) {
    if (reader.id !== 3 || target < reader.start || target >= reader.end) continue
    reader.enter()
    for (let index = 0; reader.next(); index++) if (target < reader.end) return index
    reader.leave()
  }
  return -1
}

function hex(key: string): string {
  return `0x${Buffer.from(key, 'latin1').toString('hex')}`
}
