import type { Edns, EdnsOption, Flags, Message, Question, ResourceRecord } from './message.ts'
import { recordTypes } from './numbers.ts'
import { readRecordData } from './record-codec.ts'
import { WireReader } from './wire-reader.ts'

/** RFC 1035 section 4.1.1. */
export const headerBytes = 12

/** Decodes a whole message. Throws a WireError, and nothing else, for bytes that are not one. Bytes
 *  behind the last record are ignored. */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new WireReader(bytes)
  const id = reader.u16()
  const bits = reader.u16()
  const questionCount = reader.u16()
  const answerCount = reader.u16()
  const authorityCount = reader.u16()
  const additionalCount = reader.u16()
  const questions: Question[] = []
  for (let index = 0; index < questionCount; index++) questions.push(readQuestion(reader))
  const answers = readRecords(reader, answerCount)
  const authority = readRecords(reader, authorityCount)
  const { additional, edns, upperRcode } = readAdditional(reader, additionalCount)
  return {
    id,
    flags: decodeFlags(bits),
    opcode: (bits >> 11) & 0xf,
    rcode: (upperRcode << 4) | (bits & 0xf),
    questions,
    answers,
    authority,
    additional,
    edns,
  }
}

/** The flags in the second 16 bits of the header. */
function decodeFlags(bits: number): Flags {
  return {
    qr: (bits & 0x8000) !== 0,
    aa: (bits & 0x0400) !== 0,
    tc: (bits & 0x0200) !== 0,
    rd: (bits & 0x0100) !== 0,
    ra: (bits & 0x0080) !== 0,
    z: (bits & 0x0040) !== 0,
    ad: (bits & 0x0020) !== 0,
    cd: (bits & 0x0010) !== 0,
  }
}

const none: readonly ResourceRecord[] = []

/** The records of a section that has no OPT record. */
function readRecords(reader: WireReader, count: number): readonly ResourceRecord[] {
  if (count === 0) return none
  const records: ResourceRecord[] = []
  for (let index = 0; index < count; index++) {
    const record = readRecord(reader)
    if (record.type === recordTypes.OPT) {
      reader.fail('an OPT record outside of the additional section')
    }
    records.push(record)
  }
  return records
}

function readQuestion(reader: WireReader): Question {
  return { name: reader.name(), type: reader.u16(), class: reader.u16() }
}

function readRecord(reader: WireReader): ResourceRecord {
  const name = reader.name()
  const type = reader.u16()
  const recordClass = reader.u16()
  const ttl = reader.u32()
  const data = readRecordData(reader, type, recordClass, reader.u16())
  return { name, type, class: recordClass, ttl, data }
}

/** The OPT record stands anywhere in the section; two of them, or one that is not at the root, are an
 *  error of format (RFC 6891 section 6.1.1). */
function readAdditional(
  reader: WireReader,
  count: number,
): {
  readonly additional: readonly ResourceRecord[]
  readonly edns: Edns | undefined
  readonly upperRcode: number
} {
  if (count === 0) return nothingAdditional
  const additional: ResourceRecord[] = []
  let edns: Edns | undefined
  let upperRcode = 0
  for (let index = 0; index < count; index++) {
    const record = readRecord(reader)
    if (record.type !== recordTypes.OPT) {
      additional.push(record)
      continue
    }
    if (edns !== undefined) reader.fail('a second OPT record')
    if (record.name !== '.') reader.fail('an OPT record that is not at the root')
    edns = {
      udpSize: record.class,
      version: (record.ttl >>> 16) & 0xff,
      isDnssecOk: (record.ttl & 0x8000) !== 0,
      options: record.data.kind === 'raw' ? readOptions(record.data.bytes) : [],
    }
    upperRcode = record.ttl >>> 24
  }
  return { additional, edns, upperRcode }
}

const nothingAdditional = { additional: none, edns: undefined, upperRcode: 0 }

function readOptions(bytes: Uint8Array): EdnsOption[] {
  const reader = new WireReader(bytes)
  const options: EdnsOption[] = []
  while (reader.remaining > 0) {
    options.push({ code: reader.u16(), data: reader.bytes(reader.u16()) })
  }
  return options
}
