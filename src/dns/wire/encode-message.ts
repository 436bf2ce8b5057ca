import type { Edns, Flags, Message, Question, ResourceRecord } from './message.ts'
import { nameKey } from './name.ts'
import { recordTypes } from './numbers.ts'
import { isKindOfType, writeRecordData } from './record-codec.ts'
import { WireError } from './wire-error.ts'
import { WireWriter } from './wire-writer.ts'

/** How many records of each section are written: answers, authority, additional. */
type SectionCounts = readonly [number, number, number]

/** Encodes a message into at most `maxSize` bytes, names compressed. What does not fit is left out and
 *  TC is set. Record sets are left out as a whole (RFC 2181 section 5), with one exception: of the set
 *  that was asked for as much as fits stays, which RFC 2181 section 9 allows and resolvers that know no
 *  TCP need. Throws a WireError when header, question and OPT record alone are too large, or when the
 *  message breaks a rule of the format. */
export function encodeMessage(message: Message, maxSize: number): Uint8Array {
  const { answers, authority, additional } = message
  let counts: SectionCounts = [answers.length, authority.length, additional.length]
  for (;;) {
    const written = write(message, counts, maxSize)
    if (written.bytes !== undefined) return written.bytes
    counts = reduce(message, counts, written.overflow)
  }
}

/** Where writing stopped: section (0 answers, 1 authority, 2 additional) and record. */
interface Overflow {
  readonly section: number
  readonly index: number
}

type Written =
  | { readonly bytes: Uint8Array; readonly overflow?: undefined }
  | { readonly bytes?: undefined; readonly overflow: Overflow }

/** One for all messages: nothing else runs while one is written. */
const writer = new WireWriter()

function write(message: Message, counts: SectionCounts, maxSize: number): Written {
  const { edns, questions, answers, authority, additional } = message
  const isCut =
    counts[0] < answers.length || counts[1] < authority.length || counts[2] < additional.length
  writer.start()
  writer.u16(message.id)
  writer.u16(headerBits(message, isCut))
  writer.u16(questions.length)
  writer.u16(counts[0])
  writer.u16(counts[1])
  writer.u16(counts[2] + (edns === undefined ? 0 : 1))
  for (const question of questions) writeQuestion(writer, question)
  const budget = maxSize - (edns === undefined ? 0 : ednsBytes(edns))
  if (writer.length > budget) {
    throw new WireError(writer.length, `the question does not fit into ${maxSize} bytes`)
  }
  for (let section = 0; section < 3; section++) {
    const index = writeRecords(sectionOf(message, section), counts[section] ?? 0, budget)
    if (index >= 0) return { overflow: { section, index } }
  }
  if (edns !== undefined) writeEdns(writer, edns, message.rcode)
  else if (message.rcode > 0xf) {
    throw new WireError(3, `response code ${message.rcode} needs EDNS`)
  }
  return { bytes: writer.finish() }
}

/** Writes the first records; gives the index of the one that did not fit, or -1. */
function writeRecords(records: readonly ResourceRecord[], count: number, budget: number): number {
  for (let index = 0; index < count; index++) {
    const record = records[index]
    if (record !== undefined) writeRecord(writer, record)
    if (writer.length > budget) return index
  }
  return -1
}

function sectionOf(message: Message, section: number): readonly ResourceRecord[] {
  return section === 0 ? message.answers : section === 1 ? message.authority : message.additional
}

/** The counts without the record that did not fit, its set, and everything behind it. */
function reduce(
  message: Message,
  counts: SectionCounts,
  { section, index }: Overflow,
): SectionCounts {
  const records = sectionOf(message, section)
  const askedType = message.questions[0]?.type
  const isAsked = section === 0 && records[index]?.type === askedType
  const cut = isAsked ? index : firstOfSet(records, index)
  const kept = counts.map((count, at) => (at < section ? count : at === section ? cut : 0))
  return [kept[0] ?? 0, kept[1] ?? 0, kept[2] ?? 0]
}

/** The first index such that no record before it belongs to the set of one behind it. */
function firstOfSet(records: readonly ResourceRecord[], index: number): number {
  let cut = index
  for (let at = cut; at < records.length; at++) {
    const key = setKey(records[at])
    const first = records.findIndex((record) => setKey(record) === key)
    if (first < cut) {
      cut = first
      at = cut
    }
  }
  return cut
}

function setKey(record: ResourceRecord | undefined): string {
  return record === undefined ? '' : `${record.type} ${record.class} ${nameKey(record.name)}`
}

function headerBits(message: Message, isCut: boolean): number {
  const { opcode, rcode, flags } = message
  return encodeFlags(flags) | (isCut ? 0x0200 : 0) | ((opcode & 0xf) << 11) | (rcode & 0xf)
}

function encodeFlags(flags: Flags): number {
  return (
    (flags.qr ? 0x8000 : 0) |
    (flags.aa ? 0x0400 : 0) |
    (flags.tc ? 0x0200 : 0) |
    (flags.rd ? 0x0100 : 0) |
    (flags.ra ? 0x0080 : 0) |
    (flags.z ? 0x0040 : 0) |
    (flags.ad ? 0x0020 : 0) |
    (flags.cd ? 0x0010 : 0)
  )
}

function writeQuestion(writer: WireWriter, question: Question): void {
  writer.name(question.name, true)
  writer.u16(question.type)
  writer.u16(question.class)
}

function writeRecord(writer: WireWriter, record: ResourceRecord): void {
  if (!isKindOfType(record.data.kind, record.type)) {
    throw new WireError(
      writer.length,
      `${record.data.kind} data in a record of type ${record.type}`,
    )
  }
  writer.name(record.name, true)
  writer.u16(record.type)
  writer.u16(record.class)
  writer.u32(record.ttl)
  const start = writer.startSized()
  writeRecordData(writer, record.data)
  writer.endSized(start)
}

/** Root name, type, class, TTL and length; then the options with 4 bytes before each. */
function ednsBytes(edns: Edns): number {
  return edns.options.reduce((sum, option) => sum + 4 + option.data.length, 11)
}

function writeEdns(writer: WireWriter, edns: Edns, rcode: number): void {
  writer.u8(0)
  writer.u16(recordTypes.OPT)
  writer.u16(edns.udpSize)
  writer.u8(rcode >> 4)
  writer.u8(edns.version)
  writer.u16(edns.isDnssecOk ? 0x8000 : 0)
  writer.sized(() => {
    for (const { code, data } of edns.options) {
      writer.u16(code)
      writer.sized(() => writer.bytes(data))
    }
  })
}
