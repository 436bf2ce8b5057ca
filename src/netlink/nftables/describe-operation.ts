import { AttributeReader } from '../attribute-reader.ts'
import { type ErrorMessage, MessageReader } from '../message-reader.ts'
import type { NftablesBatch } from './batch.ts'
import { formatData } from './data-types.ts'
import { visitElements } from './element-reader.ts'
import { messageWords, subsystem, tableFamily } from './messages.ts'
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

/** `elements[17]`: the attribute that the kernel refused, by what it stands for. */
export function describeAttribute(bytes: Uint8Array, answer: ErrorMessage): string | undefined {
  const { attributeOffset, sequence } = answer
  if (attributeOffset === undefined) return undefined
  const message = new MessageReader(bytes)
  while (message.next()) {
    if (message.sequence !== sequence) continue
    const target = message.header + attributeOffset
    const attributes = new AttributeReader(bytes, message.start + familyHeaderBytes, message.end)
    const path = attributePath(attributes, target)
    const [, object] = messageWords(message.type & 0xff)
    return path === undefined ? undefined : `${object}.${path.join('.')}`
  }
  return undefined
}

/** Ids from the outermost attribute to the one whose header is at `target`. */
function attributePath(reader: AttributeReader, target: number): number[] | undefined {
  while (reader.next()) {
    const { id, start, end } = reader
    if (start - 4 === target) return [id]
    if (target < start || target >= end) continue
    reader.enter()
    const inner = attributePath(reader, target)
    return inner === undefined ? [id] : [id, ...inner]
  }
  return undefined
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
