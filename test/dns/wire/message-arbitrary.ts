import fc from 'fast-check'
import type { Message, ResourceRecord } from '../../../src/dns/wire/message.ts'
import { escapeByte } from '../../../src/dns/wire/name.ts'
import { recordTypes } from '../../../src/dns/wire/numbers.ts'
import type { RecordData } from '../../../src/dns/wire/record-data.ts'
import { readAddress } from '../../../src/net/address.ts'

const u8 = fc.integer({ min: 0, max: 0xff })
const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffffffff })
const string = fc.uint8Array({ maxLength: 12 })

const label = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'web', 'SvC', 'cluster', 'local', '_http') },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 63 }).map(labelText) },
)

function labelText(bytes: Uint8Array): string {
  return Array.from(bytes, escapeByte).join('')
}

/** Canonical names that share endings, some with bytes of every kind. */
export const arbitraryName = fc.array(label, { maxLength: 3 }).chain((head) =>
  fc.constantFrom('', 'svc.cluster.local.', 'in-addr.arpa.').map((tail) => {
    const name = `${head.map((part) => `${part}.`).join('')}${tail}`
    return name === '' ? '.' : name
  }),
)

const address4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((b) => readAddress(b, 0, 4))
const address6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => readAddress(b, 0, 6))

const data: { [K in RecordData['kind']]: fc.Arbitrary<Extract<RecordData, { kind: K }>> } = {
  A: fc.record({ kind: fc.constant('A'), address: address4 }),
  AAAA: fc.record({ kind: fc.constant('AAAA'), address: address6 }),
  NS: fc.record({ kind: fc.constant('NS'), target: arbitraryName }),
  CNAME: fc.record({ kind: fc.constant('CNAME'), target: arbitraryName }),
  PTR: fc.record({ kind: fc.constant('PTR'), target: arbitraryName }),
  DNAME: fc.record({ kind: fc.constant('DNAME'), target: arbitraryName }),
  SOA: fc.record({
    kind: fc.constant('SOA'),
    mname: arbitraryName,
    rname: arbitraryName,
    serial: u32,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
  }),
  MX: fc.record({ kind: fc.constant('MX'), preference: u16, target: arbitraryName }),
  SRV: fc.record({
    kind: fc.constant('SRV'),
    priority: u16,
    weight: u16,
    port: u16,
    target: arbitraryName,
  }),
  TXT: fc.record({
    kind: fc.constant('TXT'),
    strings: fc.array(string, { minLength: 1, maxLength: 3 }),
  }),
  NAPTR: fc.record({
    kind: fc.constant('NAPTR'),
    order: u16,
    preference: u16,
    flags: string,
    services: string,
    regexp: string,
    replacement: arbitraryName,
  }),
  CAA: fc.record({ kind: fc.constant('CAA'), flags: u8, tag: string, value: string }),
  SVCB: fc.record({
    kind: fc.constant('SVCB'),
    priority: u16,
    target: arbitraryName,
    parameters: fc.array(fc.record({ key: u16, value: string }), { maxLength: 3 }),
  }),
  raw: fc.record({ kind: fc.constant('raw'), bytes: fc.uint8Array({ maxLength: 40 }) }),
}

function typesOf(kind: RecordData['kind']): readonly number[] {
  if (kind === 'raw') return [recordTypes.DNSKEY, recordTypes.NSEC3, 65_280]
  return kind === 'SVCB' ? [recordTypes.SVCB, recordTypes.HTTPS] : [recordTypes[kind]]
}

/** One record of any kind, class IN. */
export const arbitraryRecord: fc.Arbitrary<ResourceRecord> = fc
  .constantFrom(...(Object.keys(data) as RecordData['kind'][]))
  .chain((kind) =>
    fc.record({
      name: arbitraryName,
      type: fc.constantFrom(...typesOf(kind)),
      class: fc.constant(1),
      ttl: u32,
      data: data[kind],
    }),
  )

const records = fc.array(arbitraryRecord, { maxLength: 4 })

/** A whole message; its extended response code is zero without EDNS. */
export const arbitraryMessage: fc.Arbitrary<Message> = fc
  .record({
    id: u16,
    flags: fc.record({
      qr: fc.boolean(),
      aa: fc.boolean(),
      tc: fc.boolean(),
      rd: fc.boolean(),
      ra: fc.boolean(),
      z: fc.boolean(),
      ad: fc.boolean(),
      cd: fc.boolean(),
    }),
    opcode: fc.integer({ min: 0, max: 15 }),
    rcode: fc.integer({ min: 0, max: 0xfff }),
    questions: fc.array(fc.record({ name: arbitraryName, type: u16, class: u16 }), {
      maxLength: 2,
    }),
    answers: records,
    authority: records,
    additional: records,
    edns: fc.option(
      fc.record({
        udpSize: u16,
        version: u8,
        isDnssecOk: fc.boolean(),
        options: fc.array(fc.record({ code: u16, data: string }), { maxLength: 3 }),
      }),
      { nil: undefined },
    ),
  })
  .map((message) => structuredClone(message))
  .map((message) =>
    message.edns === undefined ? { ...message, rcode: message.rcode & 15 } : message,
  )
