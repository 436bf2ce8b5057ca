import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Lease } from '../../../src/dns/chain/reply.ts'
import { fixedKubernetes, type TestServer, type TestWorld, testServer } from './ask-server.ts'

const world: TestWorld = {
  upstream: {
    'a.test. A': ['a.test. 300 A 192.0.2.1', 'a.test. 200 A 192.0.2.2'],
    'short.test. A': ['short.test. 1 A 192.0.2.1'],
    'long.test. A': ['long.test. 999999 A 192.0.2.1'],
    'broken.test. A': '2',
    'refused.test. A': '5',
    'empty.test. A': [],
  },
}

function server(directive: string, options: TestWorld = world): TestServer {
  return testServer(`. {\n${directive}\nforward . 192.0.2.1\n}`, options)
}

const cache = suite('cache')

cache('shows the smallest TTL, then counts it down and says AA', async () => {
  const one = server('cache')
  assert.is(
    await one.ask('a.test. A'),
    'NOERROR ra | a.test. 200 A 192.0.2.1, a.test. 200 A 192.0.2.2',
  )
  await one.clock.advance(50_500)
  assert.is(
    await one.ask('A.test. A'),
    'NOERROR aa ra | a.test. 150 A 192.0.2.1, a.test. 150 A 192.0.2.2',
  )
  assert.is(one.forwarded.length, 1)
  await one.clock.advance(150_000)
  assert.is(
    await one.ask('a.test. A'),
    'NOERROR ra | a.test. 200 A 192.0.2.1, a.test. 200 A 192.0.2.2',
  )
  assert.is(one.forwarded.length, 2)
})

cache('keeps TTLs within its bounds', async () => {
  const one = server('cache {\n success 100 3000 7\n denial 100 50 40\n}')
  assert.is(await one.ask('short.test. A'), 'NOERROR ra | short.test. 7 A 192.0.2.1')
  assert.is(await one.ask('long.test. A'), 'NOERROR ra | long.test. 3000 A 192.0.2.1')
  assert.is(await one.ask('no.test. A'), 'NXDOMAIN ra |  | . 50 SOA a. b. 1 2 3 4 60')
})

cache('keeps denials and failures, but no refusals', async () => {
  const one = server('cache 30 {\n servfail 10s\n}')
  for (const name of ['no.test.', 'broken.test.', 'refused.test.', 'empty.test.']) {
    await one.ask(`${name} A`)
    await one.ask(`${name} A`)
  }
  assert.equal(one.forwarded, [
    'no.test. 1',
    'broken.test. 1',
    'refused.test. 1',
    'refused.test. 1',
    'empty.test. 1',
  ])
  await one.clock.advance(11_000)
  await one.ask('broken.test. A')
  assert.is(one.forwarded.length, 6)
})

cache('keeps answers with DO and CD apart', async () => {
  const one = server('cache')
  const edns = { udpSize: 1232, version: 0, isDnssecOk: true, options: [] }
  for (let round = 0; round < 2; round++) {
    await one.ask('a.test. A')
    await one.ask('a.test. A', { edns })
    await one.ask('a.test. A', { flags: { cd: true } })
  }
  assert.is(one.forwarded.length, 3)
})

cache('forgets the entry that was not used for the longest time', async () => {
  const one = server('cache {\n success 2\n}')
  for (const name of ['a', 'short', 'a', 'long', 'a', 'short']) await one.ask(`${name}.test. A`)
  assert.equal(one.forwarded, ['a.test. 1', 'short.test. 1', 'long.test. 1', 'short.test. 1'])
})

cache('disable leaves names out', async () => {
  const one = server('cache {\n disable success a.test\n disable denial\n}')
  for (const name of ['a', 'a', 'no', 'no', 'long', 'long']) await one.ask(`${name}.test. A`)
  assert.is(one.forwarded.length, 5)
})

cache('keepttl shows the stored TTL', async () => {
  const one = server('cache {\n keepttl\n}')
  await one.ask('a.test. A')
  await one.clock.advance(50_000)
  assert.match(await one.ask('a.test. A'), /a\.test\. 200 A/)
})

cache('only zones that are named', async () => {
  const one = server('cache 30 other.test')
  assert.match(await one.ask('a.test. A'), /a\.test\. 300 A/)
  await one.ask('a.test. A')
  assert.is(one.forwarded.length, 2)
})

cache('does not keep what is known here', async () => {
  const addresses: Record<string, string> = { 'svc.cluster.local.': '10.0.0.1' }
  const options = { ...world, kubernetes: fixedKubernetes(addresses) }
  const one = server('cache\nkubernetes cluster.local', options)
  assert.is(await one.ask('svc.cluster.local. A'), 'NOERROR aa | svc.cluster.local. 5 A 10.0.0.1')
  addresses['svc.cluster.local.'] = '10.0.0.2'
  assert.is(await one.ask('svc.cluster.local. A'), 'NOERROR aa | svc.cluster.local. 5 A 10.0.0.2')
})

cache('keeps failures that a rewrite answered, as CoreDNS does', async () => {
  const one = testServer('. {\ncache\nrewrite name a.test b.test\nhosts {\n}\n}')
  assert.is(await one.ask('a.test. A'), 'SERVFAIL')
  assert.is(await one.ask('a.test. A'), 'SERVFAIL aa')
})

cache('prefetch refreshes popular entries before they end', async () => {
  const one = server('cache {\n prefetch 2 1m 20%\n}')
  for (let count = 0; count < 3; count++) await one.ask('a.test. A')
  assert.is(one.forwarded.length, 1)
  await one.clock.advance(50_000)
  await one.ask('a.test. A')
  await one.clock.advance(50_000)
  await one.ask('a.test. A')
  await one.clock.advance(50_000)
  await one.ask('a.test. A')
  assert.is(one.forwarded.length, 1)
  await one.clock.advance(20_000)
  assert.match(await one.ask('a.test. A'), /a\.test\. 30 A/)
  assert.is(one.forwarded.length, 2)
  await one.clock.advance(1_000)
  assert.match(await one.ask('a.test. A'), /a\.test\. 199 A/)
})

cache('serve_stale gives an expired entry and refreshes it', async () => {
  const one = server('cache {\n serve_stale 1h\n}')
  await one.ask('a.test. A')
  await one.clock.advance(300_000)
  assert.match(await one.ask('a.test. A'), /a\.test\. 0 A/)
  await one.clock.advance(0)
  assert.is(one.forwarded.length, 2)
  assert.match(await one.ask('a.test. A'), /a\.test\. 200 A/)
  await one.clock.advance(3_600_000 + 200_000)
  assert.match(await one.ask('a.test. A'), /NOERROR ra \| a\.test\. 200 A/)
})

cache('serve_stale verify asks first', async () => {
  let isUp = true
  const upstream: TestWorld['upstream'] = (query) => {
    if (!isUp) throw new Error('down')
    return {
      ...query,
      flags: { ...query.flags, qr: true },
      answers: [
        { name: 'a.test.', type: 1, class: 1, ttl: 60, data: { kind: 'A', address: '192.0.2.1' } },
      ],
    }
  }
  const one = server('cache {\n serve_stale 1h verify\n}', { upstream })
  await one.ask('a.test. A')
  await one.clock.advance(61_000)
  isUp = false
  const answer = one.ask('a.test. A')
  await one.clock.advance(10_000)
  assert.match(await answer, /NOERROR aa \| a\.test\. 0 A/)
  isUp = true
  assert.match(await one.ask('a.test. A'), /NOERROR \| a\.test\. 60 A/)
})

cache('lends entries until they expire, are replaced or are due', async () => {
  const one = server('cache {\n prefetch 2 1m 50%\n}')
  const lease = (await one.respond('a.test. A'))?.memo as Lease
  const now = one.clock.now()
  assert.is(lease.renew(now + 1_000), 199)
  assert.is(lease.renew(now + 2_000), 198)
  assert.is(lease.renew(now + 40_000), 160)
  assert.is(lease.renew(now + 99_000), 101)
  assert.is(lease.renew(now + 101_000), undefined)
  assert.is(lease.renew(now + 201_000), undefined)
})

cache.run()
