import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeMessage } from '../../../src/dns/wire/decode-message.ts'
import { encodeMessage } from '../../../src/dns/wire/encode-message.ts'
import { type Message, noFlags, type ResourceRecord } from '../../../src/dns/wire/message.ts'
import { recordTypes } from '../../../src/dns/wire/numbers.ts'
import { WireError } from '../../../src/dns/wire/wire-error.ts'
import { arbitraryMessage } from './message-arbitrary.ts'

const largest = 65_535

const codec = suite('DNS messages')

codec('decode(encode(message)) is the message', () => {
  fc.assert(
    fc.property(arbitraryMessage, (message) => {
      assert.equal(decodeMessage(encodeMessage(message, largest)), message)
    }),
    { numRuns: 500 },
  )
})

codec('encode(decode(bytes)) is stable after one round', () => {
  fc.assert(
    fc.property(arbitraryMessage, (message) => {
      const bytes = encodeMessage(message, largest)
      assert.equal(encodeMessage(decodeMessage(bytes), largest), bytes)
    }),
    { numRuns: 200 },
  )
})

codec('any bytes are a message or a WireError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      try {
        decodeMessage(bytes)
      } catch (error) {
        assert.instance(error, WireError)
      }
    }),
    { numRuns: 2000 },
  )
})

const header = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
const refused: readonly { title: string; bytes: readonly number[]; reason: RegExp }[] = [
  { title: 'an empty message', bytes: [], reason: /2 bytes wanted/ },
  { title: 'a pointer to itself', bytes: [...header, 0xc0, 12, 0, 1, 0, 1], reason: /backwards/ },
  {
    title: 'a pointer forwards',
    bytes: [...header, 0xc0, 16, 0, 1, 0, 1, 0, 0],
    reason: /backwards/,
  },
  {
    title: 'a loop of two pointers',
    bytes: [...header, 1, 97, 0xc0, 12, 0, 1, 0, 1],
    reason: /backwards/,
  },
  { title: 'a label of 64 bytes', bytes: [...header, 64, 97, 0], reason: /does not exist/ },
  { title: 'a label behind the end', bytes: [...header, 9, 97, 98], reason: /behind the end/ },
  { title: 'a name without end', bytes: [...header, 1, 97], reason: /behind the end/ },
  {
    title: 'a name of 256 bytes',
    bytes: [...header, ...Array(128).fill([1, 97]).flat(), 0, 0, 1, 0, 1],
    reason: /255/,
  },
  { title: 'a missing record', bytes: [...header, 0, 0, 1], reason: /2 bytes wanted/ },
]
for (const { title, bytes, reason } of refused) {
  codec(`refuses ${title}`, () => {
    assert.throws(() => decodeMessage(Uint8Array.from(bytes)), reason)
  })
}

codec('points to names with their case only', () => {
  const [owner, other] = ['WEB.cluster.local.', 'web.cluster.local.']
  const message = answer([ptr(owner, owner), ptr(owner, other), ptr(owner, owner)])
  assert.equal(decodeMessage(encodeMessage(message, largest)), message)
})

codec('does not compress the target of SRV', () => {
  const target = 'web.cluster.local.'
  const data = { kind: 'SRV', priority: 0, weight: 100, port: 80, target } as const
  const record = { name: target, type: recordTypes.SRV, class: 1, ttl: 5, data }
  const bytes = encodeMessage(answer([record], target), largest)
  assert.is(bytes.length, 12 + 19 + 4 + 2 + 10 + 6 + 19)
})

codec('leaves out whole record sets, and says so', () => {
  const sets = ['a.', 'b.'].flatMap((name) => [1, 2, 3].map((n) => address(name, `10.0.0.${n}`)))
  const whole = answer([], 'a.')
  const message = { ...whole, answers: [address('a.', '10.0.0.9')], additional: sets }
  const full = encodeMessage(message, largest).length
  for (let size = 60; size < full; size++) {
    const cut = decodeMessage(encodeMessage(message, size))
    assert.is(cut.flags.tc, true)
    assert.is([0, 3].includes(cut.additional.length), true, `${cut.additional.length} at ${size}`)
  }
  assert.is(decodeMessage(encodeMessage(message, full)).flags.tc, false)
})

codec('keeps what fits of the set that was asked for', () => {
  const records = Array.from({ length: 40 }, (_, n) => address('a.', `10.0.0.${n}`))
  const message = answer(records, 'a.')
  const bytes = encodeMessage({ ...message, edns }, 512)
  const cut = decodeMessage(bytes)
  assert.is(bytes.length <= 512, true)
  assert.is(cut.flags.tc, true)
  assert.is(cut.answers.length, 30)
  assert.equal(cut.edns, edns)
})

codec('keeps nothing of the buffer that it was read from', () => {
  const strings = [Uint8Array.of(1, 2, 3)]
  const text = { name: 'a.', type: 16, class: 1, ttl: 5, data: { kind: 'TXT' as const, strings } }
  const buffer = Buffer.from(encodeMessage(answer([text]), largest))
  const message = decodeMessage(buffer)
  buffer.fill(0xdb)
  assert.equal(message.answers, [text])
})

codec('refuses a question that does not fit, and data of another type', () => {
  assert.throws(() => encodeMessage(answer([], `${'a'.repeat(60)}.`), 50), /does not fit/)
  const wrong = { ...address('a.', '10.0.0.1'), type: recordTypes.AAAA }
  assert.throws(() => encodeMessage(answer([wrong]), largest), /A data in a record of type 28/)
})

const edns = { udpSize: 1232, version: 0, isDnssecOk: false, options: [] }

function answer(answers: readonly ResourceRecord[], name = 'a.'): Message {
  return {
    id: 1,
    flags: { ...noFlags, qr: true },
    opcode: 0,
    rcode: 0,
    questions: [{ name, type: recordTypes.A, class: 1 }],
    answers,
    authority: [],
    additional: [],
    edns: undefined,
  }
}

function address(name: string, text: string): ResourceRecord {
  return { name, type: recordTypes.A, class: 1, ttl: 5, data: { kind: 'A', address: text } }
}

function ptr(name: string, target: string): ResourceRecord {
  return { name, type: recordTypes.PTR, class: 1, ttl: 5, data: { kind: 'PTR', target } }
}

codec.run()
