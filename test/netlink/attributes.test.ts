import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DecodeError } from '../../src/net/decode-error.ts'
import type { Attributes } from '../../src/netlink/attribute-kinds.ts'
import { AttributeWriter, align } from '../../src/netlink/attribute-writer.ts'
import { decodeAttributes, encodeAttributes } from '../../src/netlink/attributes.ts'
import { valuesOf } from './support/attribute-arbitrary.ts'

const test = suite('netlink/attributes')

const inner = {
  number: { id: 1, kind: 'u32be' },
  text: { id: 2, kind: 'string' },
} as const satisfies Attributes

/** Every kind once. */
const everything = {
  byte: { id: 1, kind: 'u8' },
  shortBig: { id: 2, kind: 'u16be' },
  shortHost: { id: 3, kind: 'u16host' },
  wordBig: { id: 4, kind: 'u32be' },
  wordHost: { id: 5, kind: 'u32host' },
  signed: { id: 6, kind: 's32be' },
  longBig: { id: 7, kind: 'u64be' },
  longHost: { id: 8, kind: 'u64host' },
  bytes: { id: 9, kind: 'bytes' },
  text: { id: 10, kind: 'string' },
  isSet: { id: 11, kind: 'flag' },
  nest: { id: 12, kind: 'nest', nest: inner },
  list: { id: 13, kind: 'list', element: 1, nest: inner },
} as const satisfies Attributes

function encode(value: Parameters<typeof encodeAttributes<typeof everything>>[2]): Uint8Array {
  const writer = new AttributeWriter(new Uint8Array(8))
  encodeAttributes(writer, everything, value)
  return writer.written().slice()
}

test('decodeAttributes gives back what encodeAttributes wrote', () => {
  fc.assert(
    fc.property(valuesOf(everything), (value) => {
      const bytes = encode(value)
      assert.is(bytes.length % 4, 0)
      assert.equal(decodeAttributes(everything, bytes, 'test'), value)
    }),
    { numRuns: 500 },
  )
})

test('decodeAttributes gives a value or a DecodeError for any bytes, and is stable after one round', () => {
  const like = valuesOf(everything).map(encode)
  const damaged = fc
    .tuple(like, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(3))
    .map(([bytes, patches, cut]) => {
      const copy = bytes.slice(0, Math.max(0, bytes.length - cut))
      for (const [at, value] of patches) if (copy.length > 0) copy[at % copy.length] = value
      return copy
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
      try {
        const value = decodeAttributes(everything, bytes, 'test')
        assert.equal(decodeAttributes(everything, encode(value), 'test'), value)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
      }
    }),
    { numRuns: 2000 },
  )
})

test('byte order and padding stand on the wire as the kinds say', () => {
  const value = { shortBig: 0x0102, wordHost: 0x01020304, wordBig: 0x01020304, text: 'abc' }
  const hex = Buffer.from(encode(value)).toString('hex')
  const order = ['0600020001020000', '0800040001020304', '0800050004030201', '08000a0061626300']
  assert.is(hex, order.join(''))
})

test('a wrong length is a fault that names table, attribute, length and expectation', () => {
  const writer = new AttributeWriter()
  const nest = writer.nest(13)
  const element = writer.nest(1)
  writer.u16be(1, 7)
  writer.close(element)
  writer.close(nest)
  assert.throws(
    () => decodeAttributes(everything, writer.written(), 'a table'),
    (error: unknown) =>
      error instanceof DecodeError &&
      error.message === 'a table: list[0].number: got "2 bytes", expected 4 bytes (u32be)',
  )
})

test('attributes that the table does not know are skipped', () => {
  const writer = new AttributeWriter()
  writer.string(99, 'newer')
  writer.u8(1, 5)
  assert.equal(decodeAttributes(everything, writer.written(), 'test'), { byte: 5 })
})

test('an attribute of more than 65535 bytes is refused, not cut', () => {
  const writer = new AttributeWriter()
  assert.throws(
    () => writer.bytes(1, new Uint8Array(0xfffc)),
    /65536 bytes, expected at most 65535/,
  )
  const nest = writer.nest(1)
  for (let index = 0; index < 2; index++) writer.bytes(1, new Uint8Array(40_000))
  assert.throws(() => writer.close(nest), /nested attribute of 80012 bytes/)
})

test('align goes to the next multiple of four', () => {
  assert.equal([0, 1, 3, 4, 5].map(align), [0, 4, 4, 4, 8])
})

test.run()
