import type { ByteString } from '../../net/byte-string.ts'
import { AttributeWriter } from '../attribute-writer.ts'
import { encodeAttributes } from '../attributes.ts'
import { MessageReader, messageFlags } from '../message-reader.ts'
import { maximumElementBytes, writeElement, writeSetElement } from './element-writer.ts'
import { batchMessages, messages, messageType, protocolFamily, subsystem } from './messages.ts'
import { encodeChain, encodeSet, encodeTable } from './object-codec.ts'
import { batchAttributes, chainAttributes, ruleAttributes, setAttributes } from './object-tables.ts'
import type { Chain, Rule, SetDefinition, SetElement, Table, TableFamily } from './objects.ts'
import { encodeRule } from './rule-codec.ts'

const { create, append, request, ack } = messageFlags
/** An `elements` attribute has a 16-bit length: a message is closed before its elements pass this. */
const elementListBytes = 0xffff - 4 - maximumElementBytes

/** A transaction of nf_tables: all of it happens or nothing. Operations are encoded as they are added;
 *  consecutive elements of one set share messages. Used once: `NftablesConnection.commit` ends it. */
export class NftablesBatch {
  readonly #writer: AttributeWriter
  readonly #sets = new Map<string, SetDefinition>()
  #messageCount = 0
  #nextSetId = 1
  #lastMessage = -1
  #isFinished = false
  /** The element message that is still open: its type, set, and the offset of its list. */
  #openMessage = -1
  #openType = -1
  #openFamily: TableFamily = 'ip'
  #openTable = ''
  #openSet: SetDefinition | undefined
  #openList = 0

  /** `generation`: the commit is refused with ERESTART unless the rule set still is of that generation. */
  constructor(writer: AttributeWriter = new AttributeWriter(), generation?: number) {
    this.#writer = writer
    writer.truncate()
    const start = writer.beginMessage(batchMessages.begin, request, 0)
    writer.netfilterHeader(0, subsystem)
    if (generation !== undefined) encodeAttributes(writer, batchAttributes, { generation })
    writer.endMessage(start)
  }

  /** Nothing was added. */
  get isEmpty(): boolean {
    return this.#messageCount === 0
  }

  /** Messages of operations so far. */
  get messageCount(): number {
    return this.#messageCount
  }

  /** Bytes so far. */
  get byteLength(): number {
    return this.#writer.length
  }

  addTable(table: Table): void {
    const start = this.#begin(messages.newTable, table.family, create)
    encodeTable(this.#writer, table)
    this.#writer.endMessage(start)
  }

  /** Deletes a table with all that is in it; ENOENT if there is none. */
  deleteTable(family: TableFamily, name: string): void {
    const start = this.#begin(messages.deleteTable, family, 0)
    this.#writer.string(1, name)
    this.#writer.endMessage(start)
  }

  /** Deletes a table if there is one (on every kernel: adds it first). */
  destroyTable(family: TableFamily, name: string): void {
    this.addTable({ family, name })
    this.deleteTable(family, name)
  }

  addChain(family: TableFamily, table: string, chain: Chain): void {
    const start = this.#begin(messages.newChain, family, create)
    encodeChain(this.#writer, table, chain)
    this.#writer.endMessage(start)
  }

  /** Deletes an empty chain that nothing refers to; else EBUSY. */
  deleteChain(family: TableFamily, table: string, name: string): void {
    const start = this.#begin(messages.deleteChain, family, 0)
    encodeAttributes(this.#writer, chainAttributes, { table, name })
    this.#writer.endMessage(start)
  }

  /** Deletes all rules of a chain. */
  flushChain(family: TableFamily, table: string, chain: string): void {
    const start = this.#begin(messages.deleteRule, family, 0)
    encodeAttributes(this.#writer, ruleAttributes, { table, chain })
    this.#writer.endMessage(start)
  }

  /** Adds a rule at the end of its chain. */
  addRule(family: TableFamily, table: string, rule: Rule): void {
    const start = this.#begin(messages.newRule, family, create | append)
    encodeRule(this.#writer, table, rule)
    this.#writer.endMessage(start)
  }

  /** Adds a rule at the head of its chain. */
  insertRule(family: TableFamily, table: string, rule: Rule): void {
    const start = this.#begin(messages.newRule, family, create)
    encodeRule(this.#writer, table, rule)
    this.#writer.endMessage(start)
  }

  deleteRule(family: TableFamily, table: string, chain: string, handle: bigint): void {
    const start = this.#begin(messages.deleteRule, family, 0)
    encodeAttributes(this.#writer, ruleAttributes, { table, chain, handle })
    this.#writer.endMessage(start)
  }

  addSet(family: TableFamily, table: string, set: SetDefinition): void {
    const start = this.#begin(messages.newSet, family, create)
    encodeSet(this.#writer, table, set, this.#nextSetId++)
    this.#writer.endMessage(start)
    this.#remember(family, table, set)
  }

  /** Deletes a set with its elements; EBUSY while a rule refers to it. */
  deleteSet(family: TableFamily, table: string, name: string): void {
    const start = this.#begin(messages.deleteSet, family, 0)
    encodeAttributes(this.#writer, setAttributes, { table, name })
    this.#writer.endMessage(start)
  }

  /** Deletes all elements of a set. */
  flushSet(family: TableFamily, table: string, name: string): void {
    const start = this.#begin(messages.deleteElement, family, 0)
    this.#writer.string(1, table)
    this.#writer.string(2, name)
    this.#writer.endMessage(start)
  }

  /** Adds an element of a set, or of a map with data. One that is there with the same value is left alone;
   *  with another value: EEXIST. */
  addElement(
    family: TableFamily,
    table: string,
    set: SetDefinition,
    key: ByteString,
    value?: ByteString,
    comment?: string,
  ): void {
    this.#openElements(messages.newElement, family, table, set)
    writeElement(this.#writer, key, value, comment)
  }

  /** Adds any element: with verdict, interval end or closing key, timeout. */
  addSetElement(family: TableFamily, table: string, set: SetDefinition, element: SetElement): void {
    this.#openElements(messages.newElement, family, table, set)
    writeSetElement(this.#writer, element)
  }

  /** Deletes an element; ENOENT if there is none. */
  deleteElement(family: TableFamily, table: string, set: SetDefinition, key: ByteString): void {
    this.#openElements(messages.deleteElement, family, table, set)
    writeElement(this.#writer, key, undefined, undefined)
  }

  /** Deletes an element of an interval set: give it as it was added, without value and comment. */
  deleteSetElement(
    family: TableFamily,
    table: string,
    set: SetDefinition,
    element: Pick<SetElement, 'key' | 'keyEnd' | 'isIntervalEnd'>,
  ): void {
    this.#openElements(messages.deleteElement, family, table, set)
    writeSetElement(this.#writer, element)
  }

  /** Closes the batch with consecutive sequence numbers from `firstSequence` (the batch's begin) on. The last
   *  operation asks for the acknowledgement; its number is `firstSequence + messageCount`. */
  finish(firstSequence: number): Uint8Array {
    if (this.#isFinished) throw new Error('nftables: a batch is committed once; make a new one')
    this.#closeElements()
    const writer = this.#writer
    if (this.#lastMessage >= 0) writer.addMessageFlags(this.#lastMessage, ack)
    const start = writer.beginMessage(batchMessages.end, request, 0)
    writer.netfilterHeader(0, subsystem)
    writer.endMessage(start)
    this.#isFinished = true
    const bytes = writer.written()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const reader = new MessageReader(bytes)
    for (let sequence = firstSequence; reader.next(); sequence++) {
      view.setUint32(reader.header + 8, sequence, true)
    }
    return bytes
  }

  /** The set of an operation of this batch, for the words of errors. */
  findSet(family: TableFamily, table: string, name: string): SetDefinition | undefined {
    return this.#sets.get(`${family} ${table} ${name}`)
  }

  #remember(family: TableFamily, table: string, set: SetDefinition): void {
    this.#sets.set(`${family} ${table} ${set.name}`, set)
  }

  #begin(message: number, family: TableFamily, flags: number): number {
    this.#closeElements()
    return this.#start(message, family, flags)
  }

  #start(message: number, family: TableFamily, flags: number): number {
    if (this.#isFinished) throw new Error('nftables: a batch is committed once; make a new one')
    const start = this.#writer.beginMessage(messageType(message), request | flags, 0)
    this.#writer.netfilterHeader(protocolFamily(family), 0)
    this.#lastMessage = start
    this.#messageCount++
    return start
  }

  #openElements(type: number, family: TableFamily, table: string, set: SetDefinition): void {
    if (
      this.#openMessage >= 0 &&
      this.#openSet === set &&
      this.#openType === type &&
      this.#openTable === table &&
      this.#openFamily === family &&
      this.#writer.length - this.#openList <= elementListBytes
    ) {
      return
    }
    this.#closeElements()
    this.#remember(family, table, set)
    this.#openMessage = this.#start(type, family, type === messages.newElement ? create : 0)
    this.#openType = type
    this.#openFamily = family
    this.#openTable = table
    this.#openSet = set
    this.#writer.string(1, table)
    this.#writer.string(2, set.name)
    this.#openList = this.#writer.nest(3)
  }

  #closeElements(): void {
    if (this.#openMessage < 0) return
    this.#writer.close(this.#openList)
    this.#writer.endMessage(this.#openMessage)
    this.#openMessage = -1
  }
}
