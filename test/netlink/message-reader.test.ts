import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AttributeWriter } from '../../src/netlink/attribute-writer.ts'
import {
  decodeErrorMessage,
  MessageReader,
  messageFlags,
} from '../../src/netlink/message-reader.ts'

const test = suite('netlink/message-reader')

test('messages of a datagram are read one after the other', () => {
  const writer = new AttributeWriter()
  for (const sequence of [7, 8]) {
    const start = writer.beginMessage(20, messageFlags.request, sequence)
    writer.string(1, 'a'.repeat(sequence))
    writer.endMessage(start)
  }
  const reader = new MessageReader(writer.written())
  const seen: number[][] = []
  while (reader.next()) seen.push([reader.type, reader.sequence, reader.end - reader.start])
  assert.equal(seen, [
    [20, 7, 12],
    [20, 8, 16],
  ])
  assert.is(reader.fault, undefined)
})

test('a length beyond the datagram is a fault', () => {
  const bytes = new Uint8Array(20)
  bytes[0] = 24
  const reader = new MessageReader(bytes)
  assert.is(reader.next(), false)
  assert.is(reader.fault, 'message of 24 bytes, expected 16..20')
})

test('an error message carries errno, text and offset of the extended acknowledgement', () => {
  const writer = new AttributeWriter()
  const start = writer.beginMessage(2, messageFlags.capped | messageFlags.ackAttributes, 5)
  writer.structure(new Uint8Array([0xef, 0xff, 0xff, 0xff, ...new Uint8Array(16)]))
  writer.string(1, 'no such thing')
  writer.u32host(2, 40)
  writer.endMessage(start)
  const reader = new MessageReader(writer.written())
  assert.ok(reader.next())
  assert.equal(decodeErrorMessage(reader, writer.written()), {
    sequence: 5,
    errno: 17,
    text: 'no such thing',
    attributeOffset: 40,
  })
})

test('any bytes end in a value or a fault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      const reader = new MessageReader(bytes)
      let count = 0
      while (reader.next()) {
        decodeErrorMessage(reader, bytes)
        count++
      }
      assert.ok(count <= bytes.length / 16)
    }),
    { numRuns: 2000 },
  )
})

test.run()
