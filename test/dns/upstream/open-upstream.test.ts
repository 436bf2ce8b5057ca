import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { replyMessage } from '../../../src/dns/chain/reply.ts'
import { openUpstream, type UpstreamTarget } from '../../../src/dns/upstream/open-upstream.ts'
import { secureRandom } from '../../../src/dns/upstream/secure-random.ts'
import type { UdpEngine } from '../../../src/dns/upstream/udp-pool.ts'
import { type Upstream, UpstreamError } from '../../../src/dns/upstream/upstream.ts'
import { encodeMessage } from '../../../src/dns/wire/encode-message.ts'
import { type Message, noFlags } from '../../../src/dns/wire/message.ts'
import { rcodes } from '../../../src/dns/wire/numbers.ts'
import { type Clock, systemClock } from '../../../src/kube/clock.ts'
import { openReactor } from '../../../src/reactor/open-reactor.ts'
import { addressReply, type FaultyServer, startFaultyServer } from './faulty-server.ts'

/** Losses are waited for at this speed; an answer on a machine that is busy still comes in time. */
const speed = 5

/** A clock on which waiting takes a part of the time. */
const fastClock: Clock = {
  now: () => systemClock.now() * speed,
  schedule: (callback, delayMs) => systemClock.schedule(callback, delayMs / speed),
}

const ending = new AbortController()
const reactor = openReactor({ isChecked: true }, ending.signal)

/** The reactor with the same kind of time. */
const fastReactor: UdpEngine = {
  openDatagram: (options, handler) => reactor.openDatagram(options, handler),
  startTimer: (delayMs, tag, fire) => reactor.startTimer(delayMs / speed, tag, fire),
  stopTimer: (timer) => reactor.stopTimer(timer),
}

function open(server: FaultyServer, options: Partial<{ randomizesCase: boolean }> = {}): Upstream {
  const target: UpstreamTarget = {
    transport: 'dns',
    address: '127.0.0.1',
    port: server.port,
    path: '',
  }
  return openUpstream(target, {
    clock: fastClock,
    random: secureRandom,
    reactor: fastReactor,
    expireMs: 10_000,
    tls: { servername: undefined, ca: undefined, cert: undefined, key: undefined },
    randomizesCase: options.randomizesCase ?? false,
  })
}

function query(name: string, id = 7): Message {
  return {
    id,
    flags: { ...noFlags, rd: true },
    opcode: 0,
    rcode: 0,
    questions: [{ name, type: 1, class: 1 }],
    answers: [],
    authority: [],
    additional: [],
    edns: undefined,
  }
}

function addressOf(reply: Message): string | undefined {
  const data = reply.answers[0]?.data
  return data?.kind === 'A' ? data.address : undefined
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.instance(error, UpstreamError)
  return error instanceof Error ? error.message.replace(/^[^ ]+ /, '') : ''
}

const upstream = suite('openUpstream')

upstream.after.each(() => {
  assert.is(reactor.counts.datagramSockets, 0, 'sockets are left open')
  assert.is(reactor.counts.timers, 0, 'timers are left')
})

upstream.after(async () => {
  ending.abort()
  await reactor.closed
})

upstream('gives the reply with the id of the query', async () => {
  await using server = await startFaultyServer((asked) => [addressReply(asked)])
  const opened = open(server)
  const reply = await opened.exchange(query('a.test.'), 'udp')
  opened.close()
  assert.is(reply.id, 7)
  assert.is(addressOf(reply), '192.0.2.1')
})

upstream('asks from several ports and with several ids', async () => {
  await using server = await startFaultyServer((asked) => [addressReply(asked)])
  const opened = open(server)
  for (let index = 0; index < 40; index++) await opened.exchange(query(`n${index}.test.`), 'udp')
  opened.close()
  assert.ok(new Set(server.queries.map(({ port }) => port)).size > 5)
  assert.ok(new Set(server.queries.map(({ message }) => message.id)).size > 35)
})

upstream('passes over packets with a wrong id, a wrong question or no response bit', async () => {
  await using server = await startFaultyServer((asked) => [
    { ...addressReply(asked, '203.0.113.1'), id: asked.id ^ 1 },
    { ...addressReply(asked, '203.0.113.2'), questions: [{ name: 'b.test.', type: 1, class: 1 }] },
    { ...addressReply(asked, '203.0.113.3'), flags: noFlags },
    Uint8Array.of(1, 2, 3),
    addressReply(asked, '192.0.2.9'),
  ])
  const opened = open(server)
  const reply = await opened.exchange(query('a.test.'), 'udp')
  opened.close()
  assert.is(addressOf(reply), '192.0.2.9')
})

upstream('sends a lost query again, the same id and port', async () => {
  await using server = await startFaultyServer((asked, count) =>
    count < 2 ? [] : [addressReply(asked)],
  )
  const opened = open(server)
  await opened.exchange(query('a.test.'), 'udp')
  opened.close()
  const [first, second] = server.queries
  assert.is(second?.message.id, first?.message.id)
  assert.is(second?.port, first?.port)
})

upstream('gives up when nothing comes', async () => {
  await using server = await startFaultyServer(() => [])
  const opened = open(server)
  assert.is(await refusal(opened.exchange(query('a.test.'), 'udp')), 'no reply within 2000 ms')
  assert.is(await refusal(opened.exchange(query('a.test.'), 'tcp')), 'no reply within 4000 ms')
  opened.close()
})

upstream('tells at once when nobody listens', async () => {
  const server = await startFaultyServer(() => [])
  await server[Symbol.asyncDispose]()
  const opened = open(server)
  assert.match(await refusal(opened.exchange(query('a.test.'), 'udp')), /ECONNREFUSED/)
  assert.match(await refusal(opened.exchange(query('a.test.'), 'tcp')), /ECONNREFUSED/)
  opened.close()
})

upstream('passes SERVFAIL, REFUSED and truncation on', async () => {
  const codes: Readonly<Record<string, number>> = {
    'sf.test.': rcodes.SERVFAIL,
    'rf.test.': rcodes.REFUSED,
  }
  await using server = await startFaultyServer((asked) => {
    const rcode = codes[asked.questions[0]?.name ?? '']
    const flags = { tc: rcode === undefined }
    return [replyMessage(asked, { flags, ...(rcode !== undefined && { rcode }) })]
  })
  const opened = open(server)
  assert.is((await opened.exchange(query('sf.test.'), 'udp')).rcode, rcodes.SERVFAIL)
  assert.is((await opened.exchange(query('rf.test.'), 'udp')).rcode, rcodes.REFUSED)
  assert.is((await opened.exchange(query('tc.test.'), 'udp')).flags.tc, true)
  opened.close()
})

upstream('makes an empty truncated reply of one that was cut in the middle', async () => {
  await using server = await startFaultyServer((asked) => {
    const whole = addressReply(asked)
    return [encodeMessage({ ...whole, flags: { ...whole.flags, tc: true } }, 512).subarray(0, -3)]
  })
  const opened = open(server)
  const reply = await opened.exchange(query('a.test.'), 'udp')
  opened.close()
  assert.is(reply.flags.tc, true)
  assert.equal(reply.answers, [])
})

upstream('sends one query for identical questions, each client gets its id', async () => {
  await using server = await startFaultyServer((asked) => [addressReply(asked)])
  const opened = open(server)
  const ids = [1, 2, 3, 4, 5]
  const replies = await Promise.all(ids.map((id) => opened.exchange(query('a.test.', id), 'udp')))
  opened.close()
  assert.equal(
    replies.map((reply) => reply.id),
    ids,
  )
  assert.is(server.queries.length, 1)
})

upstream('asks for random letters and gives the client its own', async () => {
  await using server = await startFaultyServer((asked) => [addressReply(asked)])
  const opened = open(server, { randomizesCase: true })
  const name = 'averylongnamewithmanyletters.example.test.'
  const reply = await opened.exchange(query(name), 'udp')
  opened.close()
  assert.is.not(server.queries[0]?.message.questions[0]?.name, name)
  assert.equal([reply.questions[0]?.name, reply.answers[0]?.name], [name, name])
})

upstream('does not believe a reply whose letters are those of the client', async () => {
  await using server = await startFaultyServer((asked) => {
    const questions = asked.questions.map((one) => ({ ...one, name: one.name.toLowerCase() }))
    return [{ ...addressReply(asked), questions }]
  })
  const opened = open(server, { randomizesCase: true })
  const failed = refusal(opened.exchange(query('averylongnamewithmanyletters.test.'), 'udp'))
  assert.is(await failed, 'no reply within 2000 ms')
  opened.close()
})

upstream('drops records that the question does not lead to', async () => {
  await using server = await startFaultyServer((asked) => {
    const own = addressReply(asked)
    const stray = { ...own.answers[0], name: 'bank.test.' } as Message['answers'][number]
    const ns = {
      name: 'other.',
      type: 2,
      class: 1,
      ttl: 60,
      data: { kind: 'NS' as const, target: 'x.' },
    }
    const parent = { ...ns, name: 'test.' }
    return [{ ...own, answers: [...own.answers, stray], authority: [ns, parent] }]
  })
  const opened = open(server)
  const reply = await opened.exchange(query('a.test.'), 'udp')
  opened.close()
  assert.equal(
    reply.answers.map((record) => record.name),
    ['a.test.'],
  )
  assert.equal(
    reply.authority.map((record) => record.name),
    ['test.'],
  )
})

upstream('sends many queries on one connection and takes replies in any order', async () => {
  const held: Message[] = []
  await using server = await startFaultyServer((asked) => {
    held.push(addressReply(asked, `192.0.2.${Number(asked.questions[0]?.name.slice(1, -6))}`))
    return held.length < 5 ? [] : held.toReversed()
  })
  const opened = open(server)
  const names = [1, 2, 3, 4, 5].map((number) => `n${number}.test.`)
  const replies = await Promise.all(names.map((name) => opened.exchange(query(name), 'tcp')))
  opened.close()
  assert.equal(replies.map(addressOf), [
    '192.0.2.1',
    '192.0.2.2',
    '192.0.2.3',
    '192.0.2.4',
    '192.0.2.5',
  ])
  assert.is(new Set(server.queries.map(({ port }) => port)).size, 1)
})

upstream('opens a new connection when an idle one was closed', async () => {
  let dropped = false
  await using server = await startFaultyServer((asked) => {
    if (asked.questions[0]?.name === 'second.test.' && !dropped) {
      dropped = true
      server.dropConnections()
      return []
    }
    return [addressReply(asked)]
  })
  const opened = open(server)
  await opened.exchange(query('first.test.'), 'tcp')
  const reply = await opened.exchange(query('second.test.'), 'tcp')
  opened.close()
  assert.is(addressOf(reply), '192.0.2.1')
})

upstream('rejects what is under way when it is closed', async () => {
  await using server = await startFaultyServer(() => [])
  const opened = open(server)
  const [udp, tcp] = [
    opened.exchange(query('a.test.'), 'udp'),
    opened.exchange(query('a.test.'), 'tcp'),
  ]
  const reasons = Promise.all([refusal(udp), refusal(tcp)])
  opened.close()
  assert.equal(await reasons, ['is closed', 'is closed'])
})

upstream.run()
