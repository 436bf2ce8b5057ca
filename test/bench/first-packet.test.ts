import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Lane } from '../../bench/first-packet/lane.ts'
import { linearSubject } from '../../bench/first-packet/lane-subjects.ts'
import { linearLayout } from '../../bench/first-packet/linear-layout.ts'
import { parsePeerRules } from '../../bench/first-packet/peer-rules.ts'
import { openTcp } from '../../bench/first-packet/tcp.ts'
import { openUdp } from '../../bench/first-packet/udp.ts'
import { needsRoot } from '../support/needs-root.ts'

const test = suite('bench first-packet')
const root = needsRoot(test, ['ip', 'iptables-nft-restore', 'iptables-nft-save'])

const save = `*nat
:KUBE-SERVICES - [0:0]
-A KUBE-SERVICES -d 10.96.0.2/32 -p udp -m udp --dport 53 -j KUBE-SVC-A
-A KUBE-SERVICES -d 10.96.0.3/32 -p tcp -m comment --comment "a/b cluster IP" -m tcp --dport 80 -j KUBE-SVC-B
-A KUBE-FORWARD -m conntrack --ctstate INVALID -m nfacct --nfacct-name  dropped -j DROP
-A KUBE-SEP-B -p tcp -m tcp -j DNAT --to-destination 10.1.0.4:8080
COMMIT
`
const goto = { goto: { target: 'service-B-a/b/tcp/' } }
const json = JSON.stringify({
  nftables: [
    { map: { elem: [[{ concat: ['10.96.0.3', 'tcp', 80] }, goto]] } },
    { rule: { expr: [{ dnat: { addr: { concat: ['10.1.0.4', 8080] } } }] } },
    { table: { name: 'kube-proxy' } },
  ],
})
const text = `table ip kube-proxy {
  map service-ips { elements = { 10.96.0.3 . tcp . 80 : goto service-B-a/b/tcp/ } }
  chain endpoint-B { meta l4proto tcp dnat to 10.1.0.4 . 8080 }
}`

for (const [title, recorded] of Object.entries({ save, json, text })) {
  test(`services and ports of endpoints are found in recorded rules: ${title}`, () => {
    const { destinations, ports } = parsePeerRules(recorded, 'file', 'TCP')
    assert.equal(destinations, [{ address: '10.96.0.3', port: 80 }])
    assert.equal([...ports], [8080])
  })
}

test('recorded rules are given in a form that can be loaded', () => {
  assert.not.match(parsePeerRules(save, 'file', 'TCP').input, 'nfacct')
  assert.match(parsePeerRules(json, 'file', 'TCP').input, /^\{"nftables":\[\{"table"/)
  assert.throws(() => parsePeerRules('table ip nat { }', 'a-file', 'TCP'), 'a-file')
})

test('the linear layout leads to its services last', () => {
  const commits = [...linearLayout({ services: 51, endpoints: 2 })]
  assert.is(commits.length, 4)
  assert.is(commits.at(-1)?.split('\n-A KUBE-SERVICES -d ').length, 52)
  assert.match(commits.at(-2) ?? '', '--probability 0.50000000000')
})

for (const [protocol, open] of [
  ['TCP', openTcp],
  ['UDP', openUdp],
] as const)
  root(`first packets through a lane reach what its rules lead to: ${protocol}`, async () => {
    const { load, ports } = linearSubject({ services: 3, endpoints: 2, protocol })
    const lane = await Lane.open(open(), ports)
    try {
      const destinations = await lane.onNode(load)
      const times = await lane.reach(destinations, 5)
      assert.equal(
        times.map((each) => each.length),
        [5, 5, 5],
      )
      // Nobody translates this one, and the server has no such port.
      const closed = { address: '10.255.0.1', port: 81 }
      await lane.reach([closed], 1).then(
        () => assert.unreachable(),
        (error: Error) => assert.match(error.message, '10.255.0.1:81 does not answer'),
      )
    } finally {
      lane.close()
    }
  })

test.run()
