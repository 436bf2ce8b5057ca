import type { DnsName } from './name.ts'
import { recordClasses, recordTypes } from './numbers.ts'
import type { RecordData } from './record-data.ts'
import type { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** Both directions of the data of one kind. `read` must use all bytes of the reader's part. */
interface RecordCodec<K extends RecordData['kind']> {
  /** Types of this form; empty for raw, which is every other type. */
  readonly types: readonly number[]
  /** Its form is defined for class IN only (RFC 3597 section 4). */
  readonly isInternet?: boolean
  read(reader: WireReader): Extract<RecordData, { kind: K }>
  write(writer: WireWriter, data: Extract<RecordData, { kind: K }>): void
}

/** Reads the data of a record, `byteCount` long, into its typed form, or raw where the type has none. */
export function readRecordData(
  reader: WireReader,
  type: number,
  recordClass: number,
  byteCount: number,
): RecordData {
  const kind = kindOf(type, recordClass, byteCount)
  return reader.part<RecordData>(byteCount, codecs[kind].read)
}

/** Writes the data of a record. Throws a WireError when the data is not of the record's type. */
export function writeRecordData(writer: WireWriter, data: RecordData): void {
  const codec: { write(writer: WireWriter, data: never): void } = codecs[data.kind]
  codec.write(writer, data as never)
}

/** Whether data of this kind may stand in a record of this type. */
export function isKindOfType(kind: RecordData['kind'], type: number): boolean {
  return kind === 'raw' || codecs[kind].types.includes(type)
}

/** Updates (RFC 2136) have records without data, of any type. */
function kindOf(type: number, recordClass: number, byteCount: number): RecordData['kind'] {
  const kind = kinds.get(type)
  if (kind === undefined || byteCount === 0) return 'raw'
  return codecs[kind].isInternet === true && recordClass !== recordClasses.IN ? 'raw' : kind
}

/** RFC 1035 section 3.3: types whose only content is a name. Newer ones may not be compressed. */
function nameCodec<K extends 'NS' | 'CNAME' | 'PTR' | 'DNAME'>(kind: K, isCompressed: boolean) {
  return {
    types: [recordTypes[kind]],
    read: (reader: WireReader): { readonly kind: K; readonly target: DnsName } => ({
      kind,
      target: reader.name(),
    }),
    write: (writer: WireWriter, data: { readonly target: DnsName }): void =>
      writer.name(data.target, isCompressed),
  }
}

const codecs: { readonly [K in RecordData['kind']]: RecordCodec<K> } = {
  A: {
    types: [recordTypes.A],
    isInternet: true,
    read: (reader) => ({ kind: 'A', address: reader.address(4) }),
    write: (writer, data) => writer.address(data.address, 4),
  },
  AAAA: {
    types: [recordTypes.AAAA],
    isInternet: true,
    read: (reader) => ({ kind: 'AAAA', address: reader.address(6) }),
    write: (writer, data) => writer.address(data.address, 16),
  },
  NS: nameCodec('NS', true),
  CNAME: nameCodec('CNAME', true),
  PTR: nameCodec('PTR', true),
  DNAME: nameCodec('DNAME', false),
  SOA: {
    types: [recordTypes.SOA],
    read: (reader) => ({
      kind: 'SOA',
      mname: reader.name(),
      rname: reader.name(),
      serial: reader.u32(),
      refresh: reader.u32(),
      retry: reader.u32(),
      expire: reader.u32(),
      minimum: reader.u32(),
    }),
    write: (writer, data) => {
      writer.name(data.mname, true)
      writer.name(data.rname, true)
      for (const value of [data.serial, data.refresh, data.retry, data.expire, data.minimum]) {
        writer.u32(value)
      }
    },
  },
  MX: {
    types: [recordTypes.MX],
    read: (reader) => ({ kind: 'MX', preference: reader.u16(), target: reader.name() }),
    write: (writer, data) => {
      writer.u16(data.preference)
      writer.name(data.target, true)
    },
  },
  SRV: {
    types: [recordTypes.SRV],
    isInternet: true,
    read: (reader) => ({
      kind: 'SRV',
      priority: reader.u16(),
      weight: reader.u16(),
      port: reader.u16(),
      target: reader.name(),
    }),
    write: (writer, data) => {
      writer.u16(data.priority)
      writer.u16(data.weight)
      writer.u16(data.port)
      writer.name(data.target, false)
    },
  },
  TXT: {
    types: [recordTypes.TXT, recordTypes.SPF],
    read: (reader) => {
      const strings: Uint8Array[] = []
      while (reader.remaining > 0) strings.push(reader.string())
      return { kind: 'TXT', strings }
    },
    write: (writer, data) => {
      for (const string of data.strings) writer.string(string)
    },
  },
  NAPTR: {
    types: [recordTypes.NAPTR],
    isInternet: true,
    read: (reader) => ({
      kind: 'NAPTR',
      order: reader.u16(),
      preference: reader.u16(),
      flags: reader.string(),
      services: reader.string(),
      regexp: reader.string(),
      replacement: reader.name(),
    }),
    write: (writer, data) => {
      writer.u16(data.order)
      writer.u16(data.preference)
      for (const string of [data.flags, data.services, data.regexp]) writer.string(string)
      writer.name(data.replacement, false)
    },
  },
  CAA: {
    types: [recordTypes.CAA],
    read: (reader) => ({
      kind: 'CAA',
      flags: reader.u8(),
      tag: reader.string(),
      value: reader.bytes(reader.remaining),
    }),
    write: (writer, data) => {
      writer.u8(data.flags)
      writer.string(data.tag)
      writer.bytes(data.value)
    },
  },
  SVCB: {
    types: [recordTypes.SVCB, recordTypes.HTTPS],
    isInternet: true,
    read: (reader) => {
      const priority = reader.u16()
      const target = reader.name()
      const parameters: { key: number; value: Uint8Array }[] = []
      while (reader.remaining > 0) {
        parameters.push({ key: reader.u16(), value: reader.bytes(reader.u16()) })
      }
      return { kind: 'SVCB', priority, target, parameters }
    },
    write: (writer, data) => {
      writer.u16(data.priority)
      writer.name(data.target, false)
      for (const { key, value } of data.parameters) {
        writer.u16(key)
        writer.sized(() => writer.bytes(value))
      }
    },
  },
  raw: {
    types: [],
    read: (reader) => ({ kind: 'raw', bytes: reader.bytes(reader.remaining) }),
    write: (writer, data) => writer.bytes(data.bytes),
  },
}

const kinds = new Map<number, RecordData['kind']>(
  Object.keys(codecs).flatMap((key) => {
    const kind = key as RecordData['kind']
    return codecs[kind].types.map((type): [number, RecordData['kind']] => [type, kind])
  }),
)
