import { AttributeWriter } from '../attribute-writer.ts'
import { decodeAttributes } from '../attributes.ts'
import { MessageReader, messageFlags } from '../message-reader.ts'
import { NetlinkSocket, netlinkProtocols } from '../socket.ts'
import { NftablesBatch } from './batch.ts'
import { describeAttribute, describeOperation } from './describe-operation.ts'
import { type ElementVisitor, visitElements } from './element-reader.ts'
import { messages, messageType, protocolFamily, tableFamily } from './messages.ts'
import { decodeChain, decodeSet, decodeTable } from './object-codec.ts'
import { generationAttributes } from './object-tables.ts'
import type { Chain, Rule, SetDefinition, SetElement, Table, TableFamily } from './objects.ts'
import { decodeRule } from './rule-codec.ts'
import { type RuleVisitor, readRuleBounds } from './rule-reader.ts'

/** sizeof(struct nfgenmsg) */
const familyHeaderBytes = 4
/** A batch buffer up to this size is kept for the next batch. */
const keptBufferBytes = 1 << 20

/** What a commit handed to the kernel. */
export interface CommitReport {
  readonly bytes: number
  readonly messages: number
}

/** nf_tables of the network namespace in which it was opened. Everything is synchronous. Reading and writing
 *  need CAP_NET_ADMIN. */
export class NftablesConnection {
  readonly #socket: NetlinkSocket
  readonly #requestWriter = new AttributeWriter()
  /** Buffer for the next batch; undefined while a batch has it. */
  #spare: AttributeWriter | undefined
  readonly #writers = new WeakMap<NftablesBatch, AttributeWriter>()

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  static open(): NftablesConnection {
    return new NftablesConnection(NetlinkSocket.open('nftables', netlinkProtocols.netfilter))
  }

  /** The kernel's number of this connection; notifications of its commits carry it. */
  get portId(): number {
    return this.#socket.portId
  }

  /** An empty transaction. With `generation` it is refused (ERESTART) if others wrote in between. */
  newBatch(generation?: number): NftablesBatch {
    const writer = this.#spare ?? new AttributeWriter()
    this.#spare = undefined
    const batch = new NftablesBatch(writer, generation)
    this.#writers.set(batch, writer)
    return batch
  }

  /** Hands a batch to the kernel: all of it takes effect, or a NetlinkError has every refused operation and
   *  nothing has changed. An empty batch is not sent. */
  commit(batch: NftablesBatch): CommitReport {
    if (batch.isEmpty) {
      this.#recycle(batch)
      return { bytes: 0, messages: 0 }
    }
    const count = batch.messageCount + 2
    const first = this.#socket.reserveSequences(count)
    const bytes = batch.finish(first)
    const describe = () => `commit a batch of ${batch.messageCount} messages`
    this.#socket.send(bytes, describe())
    const answers = this.#socket.collect(first + count - 1, count, describe)
    const refused = answers.filter((answer) => answer.errno !== 0)
    if (refused.length > 0) {
      this.#socket.fail(
        refused,
        (answer) => describeOperation(batch, bytes, answer),
        (answer) => describeAttribute(bytes, answer),
      )
    }
    this.#recycle(batch)
    return { bytes: bytes.length, messages: batch.messageCount }
  }

  /** Number of the present rule set: every commit in the namespace, by anyone, raises it. */
  generation(): number {
    const bytes = this.#dump(messages.getGeneration, 0, () => 'get the generation', undefined, 0)
    const reader = new MessageReader(bytes)
    while (reader.next()) {
      const start = reader.start + familyHeaderBytes
      const { id } = decodeAttributes(generationAttributes, bytes, 'generation', start, reader.end)
      if (id !== undefined) return id
    }
    throw new Error('nftables: get the generation: the kernel sent none')
  }

  /** All tables of families that ours may have. */
  listTables(): Table[] {
    const tables: Table[] = []
    this.#each(
      messages.getTable,
      0,
      () => 'list tables',
      undefined,
      (bytes, start, end, family) => {
        if (family !== undefined) tables.push(decodeTable(family, bytes, start, end))
      },
    )
    return tables
  }

  /** The chains of a table in the order of their making; none when there is no such table. */
  listChains(family: TableFamily, table: string): Chain[] {
    const chains: Chain[] = []
    const describe = () => `list chains of ${family} ${table}`
    this.#each(
      messages.getChain,
      protocolFamily(family),
      describe,
      undefined,
      (bytes, start, end) => {
        const found = decodeChain(bytes, start, end)
        if (found.table === table) chains.push(found.chain)
      },
    )
    return chains
  }

  /** The rules of a table, or of one of its chains, chain by chain in order of evaluation. */
  listRules(family: TableFamily, table: string, chain?: string): Rule[] {
    const rules: Rule[] = []
    this.#each(
      messages.getRule,
      protocolFamily(family),
      () => `list rules of ${family} ${table}${chain === undefined ? '' : ` ${chain}`}`,
      (writer) => {
        writer.string(1, table)
        if (chain !== undefined) writer.string(2, chain)
      },
      (bytes, start, end) => rules.push(decodeRule(bytes, start, end)),
    )
    return rules
  }

  /** Visits the rules of a chain in order of evaluation, without decoding them. Many chains are best asked for
   *  one by one: in a dump of a whole table the kernel walks all rules from the first one for each 32 KB. */
  forEachRule(family: TableFamily, table: string, chain: string, visit: RuleVisitor): void {
    this.#each(
      messages.getRule,
      protocolFamily(family),
      () => `list rules of ${family} ${table} ${chain}`,
      (writer) => {
        writer.string(1, table)
        writer.string(2, chain)
      },
      (bytes, start, end) => visit(bytes, readRuleBounds(bytes, start, end)),
    )
  }

  /** The sets and maps of a table, without anonymous ones. */
  listSets(family: TableFamily, table: string): SetDefinition[] {
    const sets: SetDefinition[] = []
    this.#each(
      messages.getSet,
      protocolFamily(family),
      () => `list sets of ${family} ${table}`,
      (writer) => writer.string(1, table),
      (bytes, start, end) => {
        const found = decodeSet(bytes, start, end)
        if (found.table === table) sets.push(found.set)
      },
    )
    return sets
  }

  /** Visits the elements of a set, in no order. The visitor runs after the whole dump has come, so it never
   *  sees a mixture of two states. ENOENT if there is no such set. */
  forEachElement(family: TableFamily, table: string, set: string, visit: ElementVisitor): void {
    this.#each(
      messages.getElement,
      protocolFamily(family),
      () => `list elements of ${family} ${table} ${set}`,
      (writer) => {
        writer.string(1, table)
        writer.string(2, set)
      },
      (bytes, start, end) => visitElements(bytes, start, end, visit),
    )
    this.#socket.shrink()
  }

  /** The elements of a set as objects; `forEachElement` makes none. */
  listElements(family: TableFamily, table: string, set: string): SetElement[] {
    const elements: SetElement[] = []
    this.forEachElement(family, table, set, (key, value, comment, rest) => {
      elements.push({
        key,
        ...(value === undefined ? {} : { value }),
        ...(comment === undefined ? {} : { comment }),
        ...rest,
      })
    })
    return elements
  }

  close(): void {
    this.#socket.close()
  }

  #recycle(batch: NftablesBatch): void {
    const writer = this.#writers.get(batch)
    this.#writers.delete(batch)
    if (writer !== undefined && writer.buffer.length <= keptBufferBytes) this.#spare = writer
  }

  #each(
    message: number,
    family: number,
    describe: () => string,
    attributes: ((writer: AttributeWriter) => void) | undefined,
    visit: (bytes: Uint8Array, start: number, end: number, family: TableFamily | undefined) => void,
  ): void {
    const bytes = this.#dump(message, family, describe, attributes, messageFlags.dump)
    const reader = new MessageReader(bytes)
    while (reader.next()) {
      if (reader.end - reader.start < familyHeaderBytes) continue
      const found = tableFamily(bytes[reader.start] ?? 0)
      visit(bytes, reader.start + familyHeaderBytes, reader.end, found)
    }
  }

  #dump(
    message: number,
    family: number,
    describe: () => string,
    attributes: ((writer: AttributeWriter) => void) | undefined,
    flags: number,
  ): Uint8Array {
    const writer = this.#requestWriter
    const makeRequest = (sequence: number) => {
      writer.truncate()
      const all = messageFlags.request | (flags === 0 ? messageFlags.ack : flags)
      const start = writer.beginMessage(messageType(message), all, sequence)
      writer.netfilterHeader(family, 0)
      attributes?.(writer)
      writer.endMessage(start)
      return writer.written()
    }
    return this.#socket.dump(makeRequest, describe)
  }
}
