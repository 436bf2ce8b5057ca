import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Plugin } from '../../../src/dns/chain/plugin.ts'
import { whenReplied } from '../../../src/dns/chain/plugin.ts'
import { answerTo, type Lease } from '../../../src/dns/chain/reply.ts'
import { decodeMessage } from '../../../src/dns/wire/decode-message.ts'
import type { Edns } from '../../../src/dns/wire/message.ts'
import { openCluster } from '../zone/zone-fixture.ts'
import { openResponder, queryPacket } from './responder-fixture.ts'

const test = suite('dns/answer/packet-responder')

const service = (name: string, address: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\n` +
  `spec: {clusterIP: ${address}, ports: [{name: http, port: 80}]}\n`
const headless = (addresses: readonly string[]): string =>
  'apiVersion: v1\nkind: Service\nmetadata: {name: db}\n' +
  'spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}\n---\n' +
  'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n' +
  'metadata: {name: db-1, labels: {kubernetes.io/service-name: db}}\n' +
  'ports: [{name: sql, port: 5432}]\nendpoints:\n' +
  addresses.map((address) => `- {addresses: [${address}]}\n`).join('')

const names = [
  'web.default.svc.cluster.local.',
  'WEB.default.SVC.cluster.local.',
  'db.default.svc.cluster.local.',
  '_sql._tcp.db.default.svc.cluster.local.',
  '10-0-0-1.db.default.svc.cluster.local.',
  'absent.default.svc.cluster.local.',
  'www.example.com.default.svc.cluster.local.',
  'www.example.com.',
  '1.0.0.10.in-addr.arpa.',
  'cluster.local.',
]
const edns = fc.record({
  udpSize: fc.constantFrom(512, 4096),
  version: fc.constantFrom(0, 0, 0, 1),
  isDnssecOk: fc.boolean(),
  options: fc.constantFrom([], [], [{ code: 10, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }]),
})
/** Mostly false, so that questions repeat themselves. */
const seldom = fc.constantFrom(...Array<boolean>(9).fill(false), true)
const query = fc.record({
  name: fc.constantFrom(...names),
  type: fc.constantFrom('A', 'A', 'A', 'A', 'A', 'AAAA', 'SRV', 'TXT', 'PTR', 'SOA', 'CNAME'),
  id: fc.integer({ min: 0, max: 0xffff }),
  rd: fc.constant(true),
  cd: seldom,
  ad: seldom,
  edns: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: edns as fc.Arbitrary<Edns> },
  ),
  isStream: seldom,
})
const cluster = fc.oneof(
  fc.constantFrom('10.96.0.1', '10.96.0.2').map((address) => service('web', address)),
  fc.subarray(['10.0.0.1', '10.0.0.2', '10.0.0.3']).map(headless),
  fc.constant(''),
)
const step = fc.oneof(
  { weight: 8, arbitrary: query.map((asked) => ({ asked })) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('1', '2'), cluster).map((file) => ({ file })),
  },
)

test('whatever was asked and changed before, an answer is the one of a server without memory', async () => {
  let repeatedCount = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 40, maxLength: 60, size: 'max' }),
      async (steps) => {
        const world = openCluster()
        const kept = openResponder(world, { maxBytes: 4096 })
        for (const each of steps) {
          if ('file' in each) {
            world.setFile(...each.file)
            continue
          }
          const { name, type, isStream, edns: opt, ...flags } = each.asked
          const packet = queryPacket(`${name} ${type}`, { ...flags, ...(opt && { edns: opt }) })
          const answer = await kept.ask(packet, isStream)
          const fresh = await openResponder(world).ask(packet, isStream)
          assert.equal(comparable(answer), comparable(fresh))
        }
        repeatedCount += kept.repeatedCount()
        assert.equal(kept.errors, [])
        assert.ok(kept.memo.byteCount <= 4096)
      },
    ),
    { numRuns: 40 },
  )
  assert.ok(repeatedCount > 100, `only ${repeatedCount} answers came from the memo`)
})

/** A kept answer has its names in the case of the question where they are pointers to it, and in lower case
 *  where they are written out. */
function comparable(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined
  const { questions, ...rest } = decodeMessage(bytes)
  const text = JSON.stringify(rest, (_, value) =>
    typeof value === 'string' ? value.toLowerCase() : value,
  )
  return { questions, text }
}

test('records change places in every kept answer', async () => {
  const world = openCluster()
  world.setFile('1', headless(['10.0.0.1', '10.0.0.2', '10.0.0.3']))
  let draw = 0
  const rotating: Plugin = {
    name: 'rotating',
    serve: (request, next) =>
      whenReplied(next(request), (reply) =>
        reply.kind === 'answer' ? { ...reply, isRotated: true } : reply,
      ),
  }
  const { ask, repeatedCount } = openResponder(world, {
    plugins: [rotating],
    random: () => (draw++ % 3) / 3,
  })
  const packet = queryPacket('db.default.svc.cluster.local. A')
  const orders = []
  for (let round = 0; round < 4; round++) {
    const answer = await ask(packet)
    const { answers } = decodeMessage(answer ?? new Uint8Array())
    orders.push(answers.map(({ data }) => (data.kind === 'A' ? data.address.at(-1) : '')).join(''))
  }
  assert.equal(orders, ['123', '123', '231', '312'])
  assert.is(repeatedCount(), 3)
})

test('a leased answer is repeated with the seconds that are left, until the lease ends', async () => {
  let nowMs = 0
  let chainCount = 0
  const lease: Lease = { renew: (now) => (now < 3000 ? 3 - now / 1000 : undefined) }
  const leasing: Plugin = {
    name: 'leasing',
    serve: (request, next) => {
      chainCount++
      return whenReplied(next(request), (reply) =>
        reply.kind === 'answer' ? { ...reply, memo: lease } : reply,
      )
    },
  }
  const world = openCluster()
  world.setFile('1', service('web', '10.96.0.1'))
  const { ask } = openResponder(world, { plugins: [leasing], nowMs: () => nowMs })
  const packet = queryPacket('web.default.svc.cluster.local. A')
  const ttls = []
  for (nowMs = 0; nowMs < 5000; nowMs += 1000) {
    ttls.push(decodeMessage((await ask(packet)) ?? new Uint8Array()).answers[0]?.ttl)
  }
  assert.equal(ttls, [5, 2, 1, 5, 5])
  assert.is(chainCount, 3)
})

test('a late answer is kept for its own question, whatever came into the socket since', async () => {
  const lease: Lease = { renew: () => 60 }
  const late: Plugin = {
    name: 'late',
    serve: async ({ message }) => answerTo(message, { memo: lease, rcode: 3 }),
  }
  const { ask, memo } = openResponder(openCluster(), { plugins: [late] })
  const socketBuffer = Buffer.from(queryPacket('slow.example. A'))
  const answered = ask(socketBuffer)
  socketBuffer.set(queryPacket('next.example. A'))
  assert.is(decodeMessage((await answered) ?? new Uint8Array()).questions[0]?.name, 'slow.example.')
  assert.ok(memo.byteCount > 0, 'the answer is kept')
  const next = decodeMessage((await ask(queryPacket('next.example. A'))) ?? new Uint8Array())
  assert.is(next.questions[0]?.name, 'next.example.')
})

test('a plugin that throws or rejects gives SERVFAIL, and the fault is told', async () => {
  for (const serve of [
    () => {
      throw new Error('broken')
    },
    () => Promise.reject(new Error('broken')),
  ]) {
    const { ask, errors } = openResponder(openCluster(), { plugins: [{ name: 'bad', serve }] })
    const answer = decodeMessage((await ask(queryPacket('a. A'))) ?? new Uint8Array())
    assert.is(answer.rcode, 2)
    assert.is(errors.length, 1)
  }
})

const header = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const refusals: readonly [string, Uint8Array, string | undefined][] = [
  ['nothing', new Uint8Array(0), undefined],
  ['half a header', header('0001 0100 0001'), undefined],
  ['a response', header('0001 8100 0001 0000 0000 0000 00 0001 0001'), undefined],
  ['no question', header('0001 0100 0000 0000 0000 0000'), '000181010000000000000000'],
  ['two questions', header('0001 0100 0002 0000 0000 0000'), '000181010000000000000000'],
  ['a cut question', header('0001 0100 0001 0000 0000 0000 03'), '000181010000000000000000'],
  ['an update', header('0001 2800 0001 0000 0000 0000'), '0001a8040000000000000000'],
]
for (const [title, packet, expected] of refusals) {
  test(`${title}: ${expected === undefined ? 'silence' : 'an error'}`, async () => {
    const answer = await openResponder(openCluster()).ask(packet)
    assert.is(answer === undefined ? undefined : Buffer.from(answer).toString('hex'), expected)
  })
}

test.run()
