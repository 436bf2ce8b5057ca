import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatRecord } from '../../../src/dns/wire/format-record.ts'
import { parseRecordText } from '../../../src/dns/zonefile/parse-record.ts'
import { arbitraryRecord } from './message-arbitrary.ts'

const test = suite('dns/wire/format-record')

/** Raw data of a known type is read as that type; tags of CAA are letters; parameters have names. */
const unread = new Set(['raw', 'CAA', 'SVCB'])

test('a zone file with the line has the record', () => {
  fc.assert(
    fc.property(arbitraryRecord, (record) => {
      // Times of zone files have 31 bits.
      fc.pre(!unread.has(record.data.kind) && record.ttl < 2 ** 31)
      const plain = structuredClone(record)
      assert.equal(structuredClone(parseRecordText(formatRecord(record), 60)), plain)
    }),
  )
})

test('bytes that are not printable are escaped', () => {
  const strings = [Uint8Array.of(34, 92, 0, 97, 255)]
  const record = { name: 'a.', type: 16, class: 1, ttl: 5, data: { kind: 'TXT', strings } } as const
  assert.is(formatRecord(record), 'a.\t5\tIN\tTXT\t"\\"\\\\\\000a\\255"')
  const raw = { kind: 'raw', bytes: Uint8Array.of(1, 255) } as const
  assert.is(formatRecord({ ...record, type: 999, data: raw }), 'a.\t5\tIN\tTYPE999\t\\# 2 01ff')
})

test.run()
