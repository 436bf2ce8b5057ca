import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AskOptions, fixedKubernetes, type TestWorld, testServer } from './ask-server.ts'

/** One row: what is asked, with which options, and the answer. */
type Row = readonly [question: string, answer: string, options?: Partial<AskOptions>]

interface Case {
  readonly title: string
  readonly corefile: string
  readonly world?: TestWorld
  readonly rows: readonly Row[]
}

const edns = { udpSize: 4096, version: 0, isDnssecOk: false, options: [] }
const www = { 'www.test. A': ['www.test. 60 IN A 192.0.2.80'] }
const denied = 'NXDOMAIN ra |  | . 60 SOA a. b. 1 2 3 4 60'

const cases: readonly Case[] = [
  {
    title: 'acl: the first policy that matches type and source decides',
    corefile: `. {
      acl inner.test {
        allow net 10.0.0.0/8 2001:db8::1
        drop net 203.0.113.9
        block
      }
      acl {
        filter type AAAA
      }
      forward . 192.0.2.1
    }`,
    world: { upstream: { 'a.inner.test. A': ['a.inner.test. 60 A 192.0.2.7'], ...www } },
    rows: [
      ['a.inner.test. A', 'REFUSED |  |  |  opt=4096do 15:000f'],
      ['a.inner.test. A', 'NOERROR ra | a.inner.test. 60 A 192.0.2.7', { client: '10.1.2.3' }],
      ['a.inner.test. A', 'NOERROR ra | a.inner.test. 60 A 192.0.2.7', { client: '2001:db8::1' }],
      ['a.inner.test. A', 'nothing', { client: '203.0.113.9' }],
      ['www.test. AAAA', 'NOERROR |  |  |  opt=4096do 15:0011'],
      ['www.test. A', 'NOERROR ra | www.test. 60 A 192.0.2.80'],
    ],
  },
  {
    title: 'any: HINFO instead of everything',
    corefile: '. {\n any\n forward . 192.0.2.1\n}',
    world: { upstream: www },
    rows: [
      [
        'www.test. ANY',
        `NOERROR | www.test. 8482 HINFO ${Buffer.from('\rANY obsoleted\fSee RFC 8482').toString('hex')}`,
      ],
      ['www.test. A', 'NOERROR ra | www.test. 60 A 192.0.2.80'],
    ],
  },
  {
    title: 'bufsize: limits what the client offers',
    corefile: '. {\n bufsize 1000\n whoami\n}',
    rows: [
      [
        'a. A',
        'NOERROR aa |  |  | a. 0 A 198.51.100.1, _udp.a. 0 SRV 0 0 4242 . opt=1000',
        { edns },
      ],
    ],
  },
  {
    title: 'header: sets and clears bits',
    corefile:
      '. {\n header {\n  response set aa\n  response clear ra\n  query clear rd\n }\n forward . 192.0.2.1\n}',
    world: { upstream: www },
    rows: [['www.test. A', 'NOERROR aa | www.test. 60 A 192.0.2.80']],
  },
  {
    title: 'hosts: both directions, NODATA, fallthrough',
    corefile: `. {
      hosts {
        192.0.2.10 a.test b.test
        2001:db8::10 a.test
        fallthrough other.test
      }
      forward . 192.0.2.1
    }`,
    rows: [
      ['a.test. A', 'NOERROR aa | a.test. 3600 A 192.0.2.10'],
      ['B.test. AAAA', 'NOERROR aa'],
      ['a.test. AAAA', 'NOERROR aa | a.test. 3600 AAAA 2001:db8::10'],
      [
        '10.2.0.192.in-addr.arpa. PTR',
        'NOERROR aa | 10.2.0.192.in-addr.arpa. 3600 PTR a.test., 10.2.0.192.in-addr.arpa. 3600 PTR b.test.',
      ],
      ['11.2.0.192.in-addr.arpa. PTR', denied],
      ['c.test. A', 'SERVFAIL'],
      ['c.other.test. A', denied],
    ],
  },
  {
    title: 'local: localhost never leaves',
    corefile: '. {\n local\n forward . 192.0.2.1\n}',
    rows: [
      ['localhost. A', 'NOERROR | localhost. 604800 A 127.0.0.1'],
      ['localhost.search.test. AAAA', 'NOERROR | localhost.search.test. 604800 AAAA ::1'],
      ['1.0.0.127.in-addr.arpa. PTR', 'NOERROR | 1.0.0.127.in-addr.arpa. 604800 PTR localhost.'],
      [
        'x.localhost. A',
        'NXDOMAIN |  | localhost. 604800 SOA localhost. root.localhost. 1 0 0 0 604800',
      ],
    ],
  },
  {
    title: 'minimal: only the answer of positive answers',
    corefile: '. {\n minimal\n file zone test\n}',
    world: {
      files: { zone: '$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\nmx MX 10 ns\n' },
    },
    rows: [
      ['mx.test. MX', 'NOERROR aa | mx.test. 60 MX 10 ns.test.'],
      ['no.test. A', 'NXDOMAIN aa |  | test. 60 SOA ns.test. h.test. 1 2 3 4 5'],
    ],
  },
  {
    title: 'nsid: tells the name to those who ask',
    corefile: '. {\n nsid here\n whoami\n}',
    rows: [
      [
        'a. A',
        'NOERROR aa |  |  | a. 0 A 198.51.100.1, _udp.a. 0 SRV 0 0 4242 . opt=4096do 3:68657265',
        { edns: { ...edns, options: [{ code: 3, data: new Uint8Array(0) }] } },
      ],
      [
        'a. A',
        'NOERROR aa |  |  | a. 0 A 198.51.100.1, _udp.a. 0 SRV 0 0 4242 . opt=4096',
        { edns },
      ],
    ],
  },
  {
    title: 'dns64: AAAA out of A, for clients over IPv6',
    corefile: '. {\n dns64\n forward . 192.0.2.1\n}',
    world: {
      upstream: { ...www, 'www.test. AAAA': [], 'six.test. AAAA': ['six.test. 9 AAAA ::6'] },
    },
    rows: [
      [
        'www.test. AAAA',
        'NOERROR | www.test. 60 AAAA 64:ff9b::c000:250',
        { client: '2001:db8::1' },
      ],
      ['www.test. AAAA', 'NOERROR ra', { client: '192.0.2.9' }],
      ['six.test. AAAA', 'NOERROR ra | six.test. 9 AAAA ::6', { client: '2001:db8::1' }],
      ['no.test. AAAA', denied, { client: '2001:db8::1' }],
    ],
  },
  {
    title: 'autopath: walks the search path and answers behind an alias',
    corefile: '. {\n autopath @kubernetes\n kubernetes cluster.local\n forward . 192.0.2.1\n}',
    world: {
      upstream: www,
      kubernetes: fixedKubernetes({ 'db.svc.cluster.local.': '10.0.0.7' }, [
        'ns.svc.cluster.local.',
        'svc.cluster.local.',
        'cluster.local.',
        '',
      ]),
    },
    rows: [
      [
        'Db.ns.svc.cluster.local. A',
        'NOERROR aa | Db.ns.svc.cluster.local. 5 CNAME Db.svc.cluster.local., Db.svc.cluster.local. 5 A 10.0.0.7',
      ],
      [
        'www.test.ns.svc.cluster.local. A',
        'NOERROR ra | www.test.ns.svc.cluster.local. 60 CNAME www.test., www.test. 60 A 192.0.2.80',
      ],
      [
        'no.ns.svc.cluster.local. A',
        'NXDOMAIN aa |  | cluster.local. 5 SOA ns.dns.cluster.local. h.cluster.local. 1 2 3 4 5',
      ],
      ['www.test. A', 'NOERROR ra | www.test. 60 A 192.0.2.80'],
    ],
  },
  {
    title: 'template: groups, Go functions, branches, fallthrough',
    corefile: `. {
      template IN A ip.test {
        match "^ip-(?P<a>[0-9]+)-(?P<b>[0-9]+)[.]ip[.]test[.]$"
        answer "{{ .Name }} 60 IN A 10.0.{{ .Group.a }}.{{ index .Match 2 }}"
        fallthrough
      }
      template IN TXT ip.test {
        match "^x(?P<hex>[0-9a-f]+)"
        answer "{{ .Name }} IN TXT {{ if eq .Type \\"TXT\\" }}{{ parseInt .Group.hex 16 64 | printf \\"%05d\\" }}{{ else }}no{{ end }}"
        ederror 21 "made up"
      }
      template ANY ANY no.test {
        rcode NXDOMAIN
        authority "no.test. 60 IN SOA ns.no.test. h.no.test. 1 2 3 4 5"
      }
      forward . 192.0.2.1
    }`,
    world: { upstream: www },
    rows: [
      ['ip-3-4.ip.test. A', 'NOERROR aa | ip-3-4.ip.test. 60 A 10.0.3.4'],
      ['other.ip.test. A', denied],
      [
        'xff.ip.test. TXT',
        'NOERROR aa | xff.ip.test. 3600 TXT "00255" |  |  opt=4096do 15:00156d616465207570',
      ],
      ['y.ip.test. TXT', 'SERVFAIL'],
      ['a.no.test. MX', 'NXDOMAIN aa |  | no.test. 60 SOA ns.no.test. h.no.test. 1 2 3 4 5'],
      ['www.test. A', 'NOERROR ra | www.test. 60 A 192.0.2.80'],
    ],
  },
  {
    title: 'loadbalance: aliases first, addresses in another order',
    corefile: '. {\n loadbalance {\n  prefer 192.0.2.2/32\n }\n forward . 192.0.2.1\n}',
    world: {
      upstream: {
        'm.test. A': ['m.test. 9 A 192.0.2.1', 'm.test. 9 A 192.0.2.2', 'm.test. 9 CNAME n.test.'],
      },
    },
    rows: [
      [
        'm.test. A',
        'NOERROR ra | m.test. 9 CNAME n.test., m.test. 9 A 192.0.2.2, m.test. 9 A 192.0.2.1',
      ],
    ],
  },
  {
    title: 'file: the answers of an authority',
    corefile: '. {\n file zone test\n forward . 192.0.2.1\n}',
    world: {
      upstream: { 'far.example. A': ['far.example. 9 A 192.0.2.99'] },
      files: {
        zone: `$TTL 1h
          @ IN SOA ns host ( 7 2h 1h
             2w 60 ) ; serial and times
          @ NS ns
          ns A 192.0.2.53
          a 5 IN A 192.0.2.1
          alias CNAME a
          out CNAME far.example.
          *.wild TXT "found \\"it\\"" second
          _h._tcp SRV 1 2 80 a
          deep.down A 192.0.2.4
          sub NS ns.sub
          ns.sub A 192.0.2.54
          moved DNAME away
          x.away A 192.0.2.5`.replace(/^ {10}/gm, ''),
      },
    },
    rows: [
      ['a.test. A', 'NOERROR aa | a.test. 5 A 192.0.2.1 | test. 3600 NS ns.test.'],
      [
        'alias.test. A',
        'NOERROR aa | alias.test. 3600 CNAME a.test., a.test. 5 A 192.0.2.1 | test. 3600 NS ns.test.',
      ],
      [
        'out.test. A',
        'NOERROR aa | out.test. 3600 CNAME far.example., far.example. 9 A 192.0.2.99 | test. 3600 NS ns.test.',
      ],
      [
        'b.wild.test. TXT',
        'NOERROR aa | b.wild.test. 3600 TXT "found \\"it\\"" "second" | test. 3600 NS ns.test.',
      ],
      [
        '_h._tcp.test. SRV',
        'NOERROR aa | _h._tcp.test. 3600 SRV 1 2 80 a.test. | test. 3600 NS ns.test. | a.test. 5 A 192.0.2.1',
      ],
      ['down.test. A', 'NOERROR aa |  | test. 3600 SOA ns.test. host.test. 7 7200 3600 1209600 60'],
      ['no.test. A', 'NXDOMAIN aa |  | test. 3600 SOA ns.test. host.test. 7 7200 3600 1209600 60'],
      [
        'x.sub.test. A',
        'NOERROR |  | sub.test. 3600 NS ns.sub.test. | ns.sub.test. 3600 A 192.0.2.54',
      ],
      [
        'x.moved.test. A',
        'NOERROR aa | moved.test. 3600 DNAME away.test., x.moved.test. 3600 CNAME x.away.test., x.away.test. 3600 A 192.0.2.5 | test. 3600 NS ns.test.',
      ],
      ['test. AXFR', 'REFUSED'],
      ['elsewhere. A', denied],
    ],
  },
  {
    title: 'transfer: for those who may, over connections only',
    corefile: '. {\n transfer test {\n  to 198.51.100.1\n }\n file zone test\n}',
    world: { files: { zone: '$TTL 60\n@ SOA ns h 1 2 3 4 5\nns A 192.0.2.53\n' } },
    rows: [
      ['test. AXFR', 'REFUSED'],
      [
        'test. AXFR',
        'NOERROR aa | test. 60 SOA ns.test. h.test. 1 2 3 4 5, ns.test. 60 A 192.0.2.53, test. 60 SOA ns.test. h.test. 1 2 3 4 5',
        { transport: 'tcp' },
      ],
      ['test. AXFR', 'REFUSED', { transport: 'tcp', client: '203.0.113.1' }],
    ],
  },
  {
    title: 'server blocks: the longest zone answers, classes and versions are checked',
    corefile:
      'a.test {\n template ANY ANY {\n  rcode NXDOMAIN\n }\n}\nb.a.test {\n whoami\n}\nempty.test {\n}',
    rows: [
      ['x.a.test. A', 'NXDOMAIN aa'],
      [
        'x.B.a.test. TXT',
        'NOERROR aa |  |  | x.B.a.test. 0 A 198.51.100.1, _udp.x.B.a.test. 0 SRV 0 0 4242 .',
      ],
      ['b.a.test. DS', 'NXDOMAIN aa'],
      ['other.test. A', 'REFUSED'],
      ['empty.test. A', 'REFUSED'],
      ['x.a.test. A', 'REFUSED', { class: 'CH' }],
      ['x.a.test. A', 'BADVERS |  |  |  opt=0', { edns: { ...edns, version: 1 } }],
      [
        'x.a.test. A',
        'NXDOMAIN aa |  |  |  opt=4096 10:0102',
        {
          edns: {
            ...edns,
            options: [
              { code: 10, data: Uint8Array.of(1, 2) },
              { code: 8, data: Uint8Array.of(0, 1, 0, 0) },
            ],
          },
        },
      ],
    ],
  },
]

const plugins = suite('plugins')
for (const { title, corefile, world, rows } of cases) {
  plugins(title, async () => {
    const server = testServer(corefile, world)
    for (const [question, answer, options] of rows) {
      assert.is(await server.ask(question, options), answer, question)
    }
  })
}
plugins.run()
