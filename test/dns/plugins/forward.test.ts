import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { replyMessage } from '../../../src/dns/chain/reply.ts'
import type { Message } from '../../../src/dns/wire/message.ts'
import { records, type TestServer, testServer } from './ask-server.ts'

/** What each upstream does: answer with its own address, with a code, or not at all. */
type Behaviour = Readonly<Record<string, 'up' | 'down' | 'silent' | number>>

function server(options: string, behaviour: Behaviour, asked: string[] = []): TestServer {
  const targets = Object.keys(behaviour).join(' ')
  return testServer(`. {\nerrors\nforward . ${targets} {\n${options}\n}\n}`, {
    upstream: (query: Message, label: string) => {
      if (query.questions[0]?.type !== 2) asked.push(label)
      const does = behaviour[label]
      if (does === 'down') throw new Error(`${label}: down`)
      if (does === 'silent') return new Promise<Message>(() => undefined)
      if (typeof does === 'number') return replyMessage(query, { rcode: does })
      return replyMessage(query, { answers: records([`a.test. 9 A ${label}`]) })
    },
  })
}

const forward = suite('forward')

forward('sequential asks the first that answers', async () => {
  const asked: string[] = []
  const one = server('policy sequential', { '192.0.2.1': 'down', '192.0.2.2': 'up' }, asked)
  assert.is(await one.ask('a.test. A'), 'NOERROR | a.test. 9 A 192.0.2.2')
  assert.equal(asked, ['192.0.2.1', '192.0.2.2'])
})

forward('round_robin takes turns', async () => {
  const asked: string[] = []
  const one = server(
    'policy round_robin',
    { '192.0.2.1': 'up', '192.0.2.2': 'up', '192.0.2.3': 'up' },
    asked,
  )
  for (let count = 0; count < 4; count++) await one.ask('a.test. A')
  assert.equal(asked, ['192.0.2.2', '192.0.2.3', '192.0.2.1', '192.0.2.2'])
})

forward('leaves an upstream out after its checks failed, and takes it back', async () => {
  const asked: string[] = []
  const behaviour: Record<string, 'up' | 'down'> = { '192.0.2.1': 'down', '192.0.2.2': 'up' }
  const one = server('policy sequential\nmax_fails 2\nhealth_check 500ms', behaviour, asked)
  await one.ask('a.test. A')
  await one.clock.advance(5_000)
  asked.length = 0
  await one.ask('a.test. A')
  assert.equal(asked, ['192.0.2.2'])
  behaviour['192.0.2.1'] = 'up'
  await one.clock.advance(60_000)
  asked.length = 0
  await one.ask('a.test. A')
  assert.equal(asked, ['192.0.2.1'])
})

forward('fails in the end, and says why', async () => {
  const one = server('', { '192.0.2.1': 'down' })
  const answer = one.ask('a.test. A')
  await one.clock.advance(6_000)
  assert.is(await answer, 'SERVFAIL')
  assert.match(one.log.at(-1) ?? '', /"reason":"192.0.2.1: down"/)
})

forward('does not spin while upstreams refuse at once', async () => {
  const asked: string[] = []
  const one = server('max_fails 0', { '192.0.2.1': 'down' }, asked)
  const answer = one.ask('a.test. A')
  await one.clock.advance(6_000)
  await answer
  assert.ok(asked.length < 40, String(asked.length))
})

forward('failfast gives up when all are down', async () => {
  const asked: string[] = []
  const one = server('failfast_all_unhealthy_upstreams', { '192.0.2.1': 'down' }, asked)
  const first = one.ask('a.test. A')
  await one.clock.advance(6_000)
  await first
  asked.length = 0
  assert.is(await one.ask('a.test. A'), 'SERVFAIL')
  assert.equal(asked, [])
})

forward('failover asks the next one because of a code', async () => {
  const one = server('policy sequential\nfailover SERVFAIL REFUSED', {
    '192.0.2.1': 5,
    '192.0.2.2': 'up',
  })
  assert.is(await one.ask('a.test. A'), 'NOERROR | a.test. 9 A 192.0.2.2')
})

forward('next hands over to the following forward', async () => {
  const one = testServer('. {\nforward . 192.0.2.1 {\n next NXDOMAIN\n}\nforward . 192.0.2.2\n}', {
    upstream: (query, label) =>
      label === '192.0.2.1'
        ? replyMessage(query, { rcode: 3 })
        : replyMessage(query, { answers: records(['a.test. 9 A 192.0.2.9']) }),
  })
  assert.is(await one.ask('a.test. A'), 'NOERROR | a.test. 9 A 192.0.2.9')
})

forward('max_concurrent refuses what is too much', async () => {
  const one = server('max_concurrent 1', { '192.0.2.1': 'silent' })
  one.ask('a.test. A')
  assert.is(await one.ask('b.test. A'), 'REFUSED')
  assert.match(one.log.at(-1) ?? '', /concurrent queries exceeded maximum 1/)
})

forward('leaves names of except to what follows', async () => {
  const one = server('except inner.test', { '192.0.2.1': 'up' })
  assert.is(await one.ask('x.inner.test. A'), 'SERVFAIL')
})

forward('answers FORMERR when upstream speaks of something else', async () => {
  const one = testServer('. {\nforward . 192.0.2.1\n}', {
    upstream: (query) =>
      replyMessage({ ...query, questions: [{ name: 'x.', type: 1, class: 1 }] }, {}),
  })
  assert.is(await one.ask('a.test. A'), 'FORMERR')
})

forward('takes the servers of a resolv.conf', async () => {
  const labels: string[] = []
  const one = testServer('. {\nforward . /etc/resolv.conf\n}', {
    files: { '/etc/resolv.conf': 'search x\nnameserver 192.0.2.7\nnameserver fe80::1%eth0\n' },
    upstream: (query, label) => {
      labels.push(label)
      return replyMessage(query, {})
    },
  })
  await one.ask('a.test. A')
  assert.ok(labels.every((label) => ['192.0.2.7', 'fe80::1'].includes(label)))
  assert.throws(
    () => testServer('. {\nforward . /etc/none.conf\n}'),
    /Corefile:2:11: \/etc\/none.conf cannot be read/,
  )
})

forward('asks the servers of a resolv.conf that changed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forward-'))
  const path = join(folder, 'resolv.conf')
  const ending = new AbortController()
  try {
    writeFileSync(path, 'nameserver 192.0.2.1\n')
    const one = testServer(`. {\nforward . ${path}\n}`, {
      upstream: (query, label) => replyMessage(query, { answers: records([`a. 9 A ${label}`]) }),
    })
    const plugin = one.listeners[0]?.blocks[0]?.chain.plugins[0]
    const running = plugin?.run?.(ending.signal)
    assert.is(await one.ask('a.test. A'), 'NOERROR | a. 9 A 192.0.2.1')
    writeFileSync(path, 'nameserver 192.0.2.22\n')
    await one.clock.advance(6_000)
    assert.is(await one.ask('a.test. A'), 'NOERROR | a. 9 A 192.0.2.22')
    writeFileSync(path, '# nothing at all here\n')
    await one.clock.advance(6_000)
    assert.is(await one.ask('a.test. A'), 'NOERROR | a. 9 A 192.0.2.22')
    ending.abort()
    await running
  } finally {
    rmSync(folder, { recursive: true })
  }
})

forward('errors consolidates what matches', async () => {
  const one = testServer(
    '. {\nerrors {\n consolidate 10s ".*exceeded.*" warning\n}\nforward . 192.0.2.1 {\n max_concurrent 1\n}\n}',
    {
      upstream: () => new Promise<Message>(() => undefined),
    },
  )
  one.ask('a.test. A')
  for (let count = 0; count < 5; count++) await one.ask('a.test. A')
  assert.equal(one.log, [])
  await one.clock.advance(10_000)
  assert.match(one.log.join(), /"level":"warn".*"count":5/)
})

forward('loop tells when forwarding leads back', async () => {
  const one = testServer('. {\nloop\nforward . 192.0.2.1\n}', {
    upstream: (query) => replyMessage(query, {}),
  })
  for (let count = 0; count < 3; count++) await one.ask('0.0. HINFO')
  assert.match(one.log.join(), /leads back to this server/)
})

forward.run()
