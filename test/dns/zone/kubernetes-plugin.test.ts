import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerTo } from '../../../src/dns/chain/reply.ts'
import type { ResourceRecord } from '../../../src/dns/wire/message.ts'
import { noFlags } from '../../../src/dns/wire/message.ts'
import { recordTypes } from '../../../src/dns/wire/numbers.ts'
import { type AskOptions, ask, directive, formatReply, openCluster } from './zone-fixture.ts'

const service = (name: string, spec: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, labels: {app: ${name}}}\nspec: {${spec}}\n`
const slice = (name: string, owner: string, type: string, rest: string): string =>
  'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n' +
  `metadata: {name: ${name}, labels: {kubernetes.io/service-name: ${owner}}}\n` +
  `addressType: ${type}\n${rest}\n`

const http = 'ports: [{name: http, port: 80, protocol: TCP}, {name: dns, port: 53, protocol: UDP}]'
const cluster = openCluster()
cluster.setFile(
  'all',
  [
    service('web', `clusterIPs: [10.96.0.10, "fd00::10"], clusterIP: 10.96.0.10, ${http}`),
    service('db', `clusterIP: None, ${http}`),
    service('none', 'clusterIP: None'),
    service('out', 'type: ExternalName, externalName: www.example.com'),
    service('same', 'type: ExternalName, externalName: web.default.svc.cluster.local'),
    service('circle', 'type: ExternalName, externalName: circle2.default.svc.cluster.local'),
    service('circle2', 'type: ExternalName, externalName: circle.default.svc.cluster.local'),
    service('numeric', 'type: ExternalName, externalName: 192.0.2.7'),
    service('empty', `clusterIP: 10.96.0.11, ${http}`),
    slice(
      'db-1',
      'db',
      'IPv4',
      `${http}\nendpoints:\n` +
        '- {addresses: [10.244.0.1], hostname: first}\n' +
        '- {addresses: [10.244.0.2], targetRef: {kind: Pod, name: db-7}}\n' +
        '- {addresses: [10.244.0.3], conditions: {ready: false}}',
    ),
    slice('db-2', 'db', 'IPv6', `${http}\nendpoints: [{addresses: ["fd00:1::"]}]`),
    slice('web-1', 'web', 'IPv4', `${http}\nendpoints: [{addresses: [10.244.0.9]}]`),
    'apiVersion: v1\nkind: Pod\nmetadata: {name: db-7}\nstatus: {podIP: 10.244.0.2}\n',
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: bare}\n',
  ].join('---\n'),
)
const d = 'default.svc.cluster.local.'

const test = suite('dns/zone/kubernetes-plugin')

/** Question, body of the directive, and the reply's code and records. */
const rows: readonly [string, string, ...string[]][] = [
  [`web.${d} A`, '', 'NOERROR', `web.${d} 5 A 10.96.0.10`],
  [`web.${d} AAAA`, 'ttl 30', 'NOERROR', `web.${d} 30 AAAA fd00::10`],
  [
    `WEB.Default.svc.cluster.local. A`,
    '',
    'NOERROR',
    `WEB.Default.svc.cluster.local. 5 A 10.96.0.10`,
  ],
  [`web.${d} MX`, '', 'NOERROR'],
  [`web.${d} TXT`, '', 'NOERROR'],
  [
    `web.${d} SRV`,
    '',
    'NOERROR',
    `web.${d} 5 SRV 0 25 80 web.${d}`,
    `web.${d} 5 SRV 0 25 53 web.${d}`,
    `+ web.${d} 5 A 10.96.0.10`,
    `+ web.${d} 5 AAAA fd00::10`,
  ],
  [`_http._tcp.web.${d} A`, '', 'NOERROR', `_http._tcp.web.${d} 5 A 10.96.0.10`],
  [`_http._udp.web.${d} A`, '', 'NXDOMAIN'],
  [`a._http._tcp.web.${d} A`, '', 'NXDOMAIN'],
  [`absent.${d} A`, '', 'NXDOMAIN'],
  [`absent.${d} SOA`, '', 'NOERROR'],
  ['web.absent.svc.cluster.local. A', '', 'NXDOMAIN'],
  ['default.svc.cluster.local. A', '', 'NOERROR'],
  ['bare.svc.cluster.local. A', '', 'NOERROR'],
  ['absent.svc.cluster.local. A', '', 'NXDOMAIN'],
  ['svc.cluster.local. A', '', 'NOERROR'],
  ['cluster.local. A', '', 'NOERROR'],
  ['cluster.local. TXT', '', 'NXDOMAIN'],
  ['other.cluster.local. A', '', 'NXDOMAIN'],
  ['example.com. A', '', 'next'],
  [`web.${d} A`, 'namespaces other', 'NXDOMAIN'],
  [`absent.${d} A`, 'fallthrough', 'next'],
  [`absent.${d} A`, 'fallthrough ip6.arpa', 'NXDOMAIN'],
  [`db.${d} A`, '', 'NOERROR', `db.${d} 5 A 10.244.0.1`, `db.${d} 5 A 10.244.0.2`],
  [`first.db.${d} A`, '', 'NOERROR', `first.db.${d} 5 A 10.244.0.1`],
  [`10-244-0-2.db.${d} A`, '', 'NOERROR', `10-244-0-2.db.${d} 5 A 10.244.0.2`],
  [`10-244-0-3.db.${d} A`, '', 'NXDOMAIN'],
  [`fd00-1--0.db.${d} AAAA`, '', 'NOERROR', `fd00-1--0.db.${d} 5 AAAA fd00:1::`],
  [`db-7.db.${d} A`, 'endpoint_pod_names', 'NOERROR', `db-7.db.${d} 5 A 10.244.0.2`],
  [`10-244-0-9.web.${d} A`, '', 'NOERROR', `10-244-0-9.web.${d} 5 A 10.244.0.9`],
  [`db.${d} A`, 'noendpoints', 'NXDOMAIN'],
  [
    `_dns._udp.db.${d} SRV`,
    '',
    'NOERROR',
    `_dns._udp.db.${d} 5 SRV 0 33 53 first.db.${d}`,
    `_dns._udp.db.${d} 5 SRV 0 33 53 10-244-0-2.db.${d}`,
    `_dns._udp.db.${d} 5 SRV 0 33 53 fd00-1--0.db.${d}`,
    `+ first.db.${d} 5 A 10.244.0.1`,
    `+ 10-244-0-2.db.${d} 5 A 10.244.0.2`,
    `+ fd00-1--0.db.${d} 5 AAAA fd00:1::`,
  ],
  [`none.${d} A`, '', 'NXDOMAIN'],
  [`empty.${d} A`, 'ignore empty_service', 'NXDOMAIN'],
  [`web.${d} A`, 'ignore empty_service', 'NOERROR', `web.${d} 5 A 10.96.0.10`],
  [`out.${d} CNAME`, '', 'NOERROR', `out.${d} 5 CNAME www.example.com.`],
  [`out.${d} SRV`, '', 'NOERROR'],
  [`x.out.${d} A`, '', 'NXDOMAIN'],
  [`same.${d} A`, '', 'NOERROR', `same.${d} 5 CNAME web.${d}`, `web.${d} 5 A 10.96.0.10`],
  [`circle.${d} A`, '', 'NOERROR'],
  [`numeric.${d} A`, '', 'NXDOMAIN'],
  ['10.0.96.10.in-addr.arpa. PTR', '', 'NOERROR', `10.0.96.10.in-addr.arpa. 5 PTR web.${d}`],
  ['10.0.96.10.in-addr.arpa. A', '', 'NXDOMAIN'],
  [
    '9.0.244.10.in-addr.arpa. PTR',
    '',
    'NOERROR',
    `9.0.244.10.in-addr.arpa. 5 PTR 10-244-0-9.web.${d}`,
  ],
  ['3.0.244.10.in-addr.arpa. PTR', '', 'NXDOMAIN'],
  ['0.244.10.in-addr.arpa. PTR', '', 'NXDOMAIN'],
  ['dns-version.cluster.local. TXT', '', 'NOERROR', 'dns-version.cluster.local. 28800 TXT 1.1.0'],
  ['10-1-2-3.default.pod.cluster.local. A', '', 'NXDOMAIN'],
  [
    '10-1-2-3.default.pod.cluster.local. A',
    'pods insecure',
    'NOERROR',
    '10-1-2-3.default.pod.cluster.local. 5 A 10.1.2.3',
  ],
  ['10-1-2-300.default.pod.cluster.local. A', 'pods insecure', 'NXDOMAIN'],
  [
    'fd00--1.default.pod.cluster.local. AAAA',
    'pods insecure',
    'NOERROR',
    'fd00--1.default.pod.cluster.local. 5 AAAA fd00::1',
  ],
  ['10-244-0-2.absent.pod.cluster.local. A', 'pods insecure', 'NXDOMAIN'],
  ['10-1-2-3.default.pod.cluster.local. A', 'pods verified', 'NXDOMAIN'],
  [
    '10-244-0-2.default.pod.cluster.local. A',
    'pods verified',
    'NOERROR',
    '10-244-0-2.default.pod.cluster.local. 5 A 10.244.0.2',
  ],
  ['10-244-0-2.bare.pod.cluster.local. A', 'pods verified', 'NXDOMAIN'],
  ['cluster.local. AXFR', '', 'REFUSED'],
]

for (const [question, body, ...expected] of rows) {
  test(`${question} ${body}`, async () => {
    const settings = directive(...(body === '' ? [] : [body]))
    assert.equal(formatReply(await ask(cluster, settings, question)), expected)
  })
}

test('negative answers carry the SOA of the zone, in the case of the question', async () => {
  const reply = await ask(cluster, directive('ttl 900'), 'absent.default.svc.Cluster.Local. A')
  assert.is(reply.kind, 'answer')
  if (reply.kind !== 'answer') return
  const { authority, flags } = reply.message
  assert.is(flags.aa, true)
  assert.equal(authority.map(soaText), ['Cluster.Local. 300 ns.dns.Cluster.Local. 7 900'])
})

function soaText({ name, ttl, data }: ResourceRecord): string {
  return data.kind === 'SOA' ? `${name} ${ttl} ${data.mname} ${data.serial} ${data.minimum}` : ''
}

test('an external name keeps its alias, whatever the server finds behind it', async () => {
  const address = { kind: 'A', address: '192.0.2.80' } as const
  const behind = { name: 'www.example.com.', type: recordTypes.A, class: 1, ttl: 9, data: address }
  const message = { id: 1, flags: noFlags, opcode: 0, rcode: 0, questions: [], edns: undefined }
  const empty = { ...message, answers: [], authority: [], additional: [] }
  const lookups: string[] = []
  const options: AskOptions = {
    lookup: (name, type) => {
      lookups.push(`${name} ${type}`)
      return answerTo(empty, { answers: [behind] })
    },
  }
  const alias = `out.${d} 5 CNAME www.example.com.`
  const reply = await ask(cluster, directive(), `out.${d} A`, options)
  assert.equal(formatReply(reply), ['NOERROR', alias, 'www.example.com. 9 A 192.0.2.80'])
  assert.equal(lookups, ['www.example.com. 1'])
  assert.equal(formatReply(await ask(cluster, directive(), `out.${d} A`)), ['NOERROR', alias])
})

test('name servers are the services of this machine, or the machine itself', async () => {
  const localAddresses = ['192.0.2.53']
  const own = await ask(cluster, directive(), 'cluster.local. NS', { localAddresses })
  assert.equal(formatReply(own), [
    'NOERROR',
    'cluster.local. 5 NS ns.dns.cluster.local.',
    '+ ns.dns.cluster.local. 5 A 192.0.2.53',
  ])
  const options = { localAddresses: ['10.244.0.9'] }
  const served = await ask(cluster, directive(), 'cluster.local. NS', options)
  assert.equal(formatReply(served), [
    'NOERROR',
    `cluster.local. 5 NS web.${d}`,
    `+ web.${d} 5 A 10.96.0.10`,
    `+ web.${d} 5 AAAA fd00::10`,
  ])
  const address = await ask(cluster, directive(), 'ns.dns.cluster.local. A', options)
  assert.equal(formatReply(address), ['NOERROR', 'ns.dns.cluster.local. 5 A 10.96.0.10'])
})

test('before everything was listed, a name that is not found is no NXDOMAIN', async () => {
  const unlisted = openCluster()
  Object.defineProperty(unlisted.objects.pods, 'isSynced', { value: false })
  const reply = await ask(unlisted, directive(), `web.${d} A`)
  assert.equal(formatReply(reply), ['SERVFAIL'])
})

test.run()
