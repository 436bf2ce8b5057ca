import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RecentFlows } from '../../../src/proxy/relay/recent-flows.ts'
import { addressRecordBytes, writeAddressRecord } from '../../../src/reactor/address-record.ts'

const recent = suite('recent flows')

function recordOf(address: string, port: number): Int32Array {
  const bytes = new Uint8Array(addressRecordBytes)
  writeAddressRecord(bytes, 0, { address, port })
  return new Int32Array(bytes.buffer)
}

recent('a flow is found by all of its record and by its listener, and by nothing else', () => {
  const flows = new RecentFlows<string>()
  flows.note(recordOf('10.0.0.1', 1000), 53, 'one')
  assert.is(flows.find(recordOf('10.0.0.1', 1000), 53), 'one')
  assert.is(flows.find(recordOf('10.0.0.1', 1000), 54), undefined)
  assert.is(flows.find(recordOf('10.0.0.1', 1001), 53), undefined)
  assert.is(flows.find(recordOf('10.0.0.2', 1000), 53), undefined)
})

recent('nothing is found before it was noted, not even a record of zeros', () => {
  assert.is(new RecentFlows().find(new Int32Array(addressRecordBytes / 4), 0), undefined)
})

recent('many flows never take each other for themselves, and most are known', () => {
  const ports = fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), {
    minLength: 1_000,
    maxLength: 1_000,
  })
  fc.assert(
    fc.property(ports, (list) => {
      const flows = new RecentFlows<number>()
      const records = list.map((port) => recordOf('192.0.2.1', port))
      for (const [index, record] of records.entries()) flows.note(record, 53, index)
      const found = records.map((record) => flows.find(record, 53))
      assert.ok(found.every((flow, index) => flow === undefined || flow === index))
      // A thousand in four thousand places by chance: 88 %.
      assert.ok(found.filter((flow) => flow !== undefined).length > 800)
    }),
    { numRuns: 20 },
  )
})

recent.run()
