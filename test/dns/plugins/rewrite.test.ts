import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { testServer, type UpstreamData } from './ask-server.ts'

/** Rules, a question, what went upstream, and the answer. */
type Row = readonly [
  title: string,
  rules: string,
  question: string,
  asked: string,
  answer: string,
  upstream: UpstreamData,
]

const denial = 'NXDOMAIN ra |  | . 60 SOA a. b. 1 2 3 4 60'

const rows: readonly Row[] = [
  [
    'an exact name is turned back everywhere',
    'rewrite name old.test new.test',
    'OLD.test. A',
    'new.test. 1',
    'NOERROR ra | old.test. 9 CNAME x.old.test., x.old.test. 9 A 192.0.2.1',
    { 'new.test. A': ['new.test. 9 CNAME x.new.test.', 'x.new.test. 9 A 192.0.2.1'] },
  ],
  [
    'a suffix stays changed in the answer without a rule for it',
    'rewrite name suffix .a.test .b.test',
    'www.a.test. A',
    'www.b.test. 1',
    'NOERROR ra | www.b.test. 9 A 192.0.2.1',
    { 'www.b.test. A': ['www.b.test. 9 A 192.0.2.1'] },
  ],
  [
    'a suffix with answer auto',
    'rewrite name suffix .a.test .b.test answer auto',
    'www.a.test. A',
    'www.b.test. 1',
    'NOERROR ra | www.a.test. 9 CNAME ftp.a.test., ftp.a.test. 9 A 192.0.2.1',
    { 'www.b.test. A': ['www.b.test. 9 CNAME ftp.b.test.', 'ftp.b.test. 9 A 192.0.2.1'] },
  ],
  [
    'a prefix',
    'rewrite name prefix old new answer auto',
    'old.x.test. A',
    'new.x.test. 1',
    'NOERROR ra | old.x.test. 9 A 192.0.2.1',
    { 'new.x.test. A': ['new.x.test. 9 A 192.0.2.1'] },
  ],
  [
    'a substring',
    'rewrite name substring old.y new.z answer auto',
    'a.old.y.test. A',
    'a.new.z.test. 1',
    'NOERROR ra | a.old.y.test. 9 A 192.0.2.1',
    { 'a.new.z.test. A': ['a.new.z.test. 9 A 192.0.2.1'] },
  ],
  [
    'a regular expression with answer name and value',
    `rewrite stop {
      name regex (.*)\\.eu\\.test\\. {1}.us.test
      answer name (.*)\\.us\\.test\\. {1}.eu.test
      answer value (.*)\\.us\\.test\\. {1}.eu.test
    }`,
    'a.eu.test. MX',
    'a.us.test. 15',
    'NOERROR ra | a.eu.test. 9 MX 5 m.eu.test.',
    { 'a.us.test. MX': ['a.us.test. 9 MX 5 m.us.test.'] },
  ],
  [
    'rules after continue, the answer turned back in reverse',
    'rewrite continue name a.test b.test\nrewrite name b.test c.test',
    'a.test. A',
    'c.test. 1',
    'NOERROR ra | a.test. 9 A 192.0.2.1',
    { 'c.test. A': ['c.test. 9 A 192.0.2.1'] },
  ],
  [
    'the type',
    'rewrite type ANY TXT',
    'a.test. ANY',
    'a.test. 16',
    'NOERROR ra | a.test. 9 TXT "x"',
    { 'a.test. TXT': ['a.test. 9 TXT x'] },
  ],
  [
    'the TTL of answers within a range',
    'rewrite ttl suffix .test. 30-60',
    'a.test. A',
    'a.test. 1',
    'NOERROR ra | a.test. 30 A 192.0.2.1, a.test. 60 A 192.0.2.2',
    { 'a.test. A': ['a.test. 9 A 192.0.2.1', 'a.test. 99 A 192.0.2.2'] },
  ],
  [
    'the code of answers',
    'rewrite rcode regex .*[.]test[.] NXDOMAIN NOERROR',
    'a.test. A',
    'a.test. 1',
    denial.replace('NXDOMAIN', 'NOERROR'),
    {},
  ],
  [
    'the target of an alias',
    'rewrite cname exact far.test. near.test.',
    'a.test. A',
    'a.test. 1, near.test. 1',
    'NOERROR ra | a.test. 9 CNAME near.test., near.test. 9 A 192.0.2.7',
    {
      'a.test. A': ['a.test. 9 CNAME far.test.', 'far.test. 9 A 192.0.2.6'],
      'near.test. A': ['near.test. 9 A 192.0.2.7'],
    },
  ],
]

const rewrite = suite('rewrite')

for (const [title, rules, question, asked, answer, upstream] of rows) {
  rewrite(title, async () => {
    const server = testServer(`. {\n${rules}\nforward . 192.0.2.1\n}`, { upstream })
    assert.is(await server.ask(question), answer)
    assert.is(server.forwarded.join(', '), asked)
  })
}

rewrite('a failure comes back with the question of the client', async () => {
  const server = testServer('. {\nrewrite name a.test b.test\nhosts {\n}\n}')
  const response = await server.respond('a.test. A')
  assert.is(response?.message.rcode, 2)
  assert.is(response?.message.questions[0]?.name, 'a.test.')
})

rewrite('edns0 sets options for upstream and can take them out again', async () => {
  const seen: string[] = []
  const server = testServer(
    `. {
      rewrite continue edns0 local set 0xffee {client_ip}
      rewrite continue edns0 subnet set 24 56 revert
      forward . 192.0.2.1
    }`,
    {
      upstream: (query) => {
        for (const { code, data } of query.edns?.options ?? []) {
          seen.push(`${code}:${Buffer.from(data).toString('hex')}`)
        }
        return { ...query, flags: { ...query.flags, qr: true } }
      },
    },
  )
  assert.is(await server.ask('a.test. A'), 'NOERROR |  |  |  opt=4096 65518:c6336401')
  assert.equal(seen, ['65518:c6336401', '8:00011800c63364'])
})

rewrite('a name that is none after the rule fails', async () => {
  const server = testServer('. {\nerrors\nrewrite name suffix .test ..x\nwhoami\n}')
  assert.is(await server.ask('a.test. A'), 'SERVFAIL')
  assert.match(server.log[0] ?? '', /is no domain name/)
})

rewrite.run()
