import type { Edns, EdnsOption, Flags, Message, Question, ResourceRecord } from './message.ts'
import { recordTypes } from './numbers.ts'
import { readRecordData } from './record-codec.ts'
import { WireError } from './wire-error.ts'
import { WireReader } from './wire-reader.ts'

/** RFC 1035 section 4.1.1. */
export const headerBytes = 12

/** Decodes a whole message. Throws a WireError, and nothing else, for bytes that are not one. Bytes
 *  behind the last record are ignored. */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new WireReader(bytes)
  const id = reader.u16()
  const bits = reader.u16()
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()]
  const [questionCount = 0, answerCount = 0, authorityCount = 0, additionalCount = 0] = counts
  const questions = times(questionCount, () => readQuestion(reader))
  const answers = times(answerCount, () => readRecord(reader))
  const authority = times(authorityCount, () => readRecord(reader))
  const { additional, edns, upperRcode } = readAdditional(reader, additionalCount)
  for (const record of [...answers, ...authority]) refuseOpt(record, reader.offset)
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

function times<T>(count: number, read: () => T): T[] {
  const items: T[] = []
  for (let index = 0; index < count; index++) items.push(read())
  return items
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
): { additional: ResourceRecord[]; edns: Edns | undefined; upperRcode: number } {
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

function readOptions(bytes: Uint8Array): EdnsOption[] {
  const reader = new WireReader(bytes)
  const options: EdnsOption[] = []
  while (reader.remaining > 0) {
    options.push({ code: reader.u16(), data: reader.bytes(reader.u16()) })
  }
  return options
}

function refuseOpt(record: ResourceRecord, offset: number): void {
  if (record.type === recordTypes.OPT) {
    throw new WireError(offset, 'an OPT record outside of the additional section')
  }
}
