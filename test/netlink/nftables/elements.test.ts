import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DecodeError } from '../../../src/net/decode-error.ts'
import { AttributeWriter } from '../../../src/netlink/attribute-writer.ts'
import { visitElements } from '../../../src/netlink/nftables/element-reader.ts'
import { writeElement, writeSetElement } from '../../../src/netlink/nftables/element-writer.ts'
import type { SetElement } from '../../../src/netlink/nftables/objects.ts'

const test = suite('netlink/nftables/elements')

const byteString = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: 1, maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'))

const comments = fc.oneof(
  fc.string({ maxLength: 127 }),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
)

const plainElements: fc.Arbitrary<SetElement> = fc.record(
  { key: byteString(64), value: byteString(64), comment: comments },
  { requiredKeys: ['key'], noNullPrototype: true },
)

const elements: fc.Arbitrary<SetElement> = fc.oneof(
  plainElements,
  fc.record(
    {
      key: byteString(64),
      keyEnd: byteString(64),
      verdict: fc.oneof(
        fc.constantFrom({ code: -3, chain: 'a' }, { code: -4, chain: 'chain-b' }),
        fc.constantFrom({ code: 0 }, { code: 1 }, { code: -5 }),
      ),
      isIntervalEnd: fc.constant(true),
      timeoutMs: fc.nat(1_000_000),
      expiresInMs: fc.nat(1_000_000),
      comment: fc.string({ maxLength: 127 }).filter((text) => !text.includes('\0')),
    },
    { requiredKeys: ['key'], noNullPrototype: true },
  ),
)

function listOf(write: (writer: AttributeWriter) => void): Uint8Array {
  const writer = new AttributeWriter(new Uint8Array(16))
  writer.string(1, 'table')
  const list = writer.nest(3)
  write(writer)
  writer.close(list)
  return writer.written().slice()
}

function read(bytes: Uint8Array): SetElement[] {
  const found: SetElement[] = []
  visitElements(bytes, 0, bytes.length, (key, value, comment, rest) =>
    found.push({
      key,
      ...(value === undefined ? {} : { value }),
      ...(comment === undefined ? {} : { comment }),
      ...rest,
    }),
  )
  return found
}

test('the fast writer and the general one write the same bytes', () => {
  fc.assert(
    fc.property(plainElements, (element) => {
      const { key, value, comment } = element
      assert.equal(
        listOf((writer) => writeElement(writer, key, value, comment)),
        listOf((writer) => writeSetElement(writer, element)),
      )
    }),
    { numRuns: 1000 },
  )
})

test('visitElements gives back what was written', () => {
  const readable = fc.array(
    elements.filter(({ comment }) => Buffer.byteLength(comment ?? '') < 128),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(readable, (list) => {
      const bytes = listOf((writer) => {
        for (const element of list) writeSetElement(writer, element)
      })
      assert.equal(read(bytes), list)
    }),
    { numRuns: 1000 },
  )
})

test('a comment that is too long is cut at a character, on both paths', () => {
  for (const comment of ['x'.repeat(300), 'é'.repeat(100)]) {
    const bytes = listOf((writer) => writeElement(writer, 'k', undefined, comment))
    const [element] = read(bytes)
    assert.ok(comment.startsWith(element?.comment ?? '?'))
    assert.ok(Buffer.byteLength(element?.comment ?? '') >= 126)
  }
})

test('damaged elements end in values or a DecodeError', () => {
  const damaged = fc.tuple(
    fc.array(elements, { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
  )
  fc.assert(
    fc.property(damaged, ([list, patches]) => {
      const bytes = listOf((writer) => {
        for (const element of list) writeSetElement(writer, element)
      })
      for (const [at, value] of patches) bytes[at % bytes.length] = value
      try {
        assert.ok(read(bytes).length <= bytes.length / 4)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
      }
    }),
    { numRuns: 3000 },
  )
})

test.run()
