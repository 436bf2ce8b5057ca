import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DecodeError } from '../../src/net/decode-error.ts'
import type { Flow } from '../../src/net/flow.ts'
import { simulateIptablesSave } from '../../src/proxy/simulate/simulate-iptables-save.ts'
import { formatVerdict } from './compare-verdicts.ts'

const test = suite('golden/simulate-iptables-save')

const node = ['192.0.2.1']
const received: Flow = {
  family: 4,
  protocol: 'TCP',
  source: '10.1.0.9',
  sourcePort: 40_000,
  destination: '10.96.0.10',
  destinationPort: 80,
  origin: 'received',
  inputInterface: 'veth9',
}
const local: Flow = { ...received, source: '192.0.2.1', origin: 'local' }

const natHead = `*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:MASQ - [0:0]
:SVC - [0:0]
:SEP-A - [0:0]
:SEP-B - [0:0]
:STALE - [0:0]
-A POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A POSTROUTING -j MASQUERADE --random-fully
-A MASQ -j MARK --set-xmark 0x4000/0x4000
-A SEP-A -s 10.1.0.4/32 -j MASQ
-A SEP-A -p tcp -m comment --comment "-j \\"DROP\\"" -m recent --set --name A --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.1.0.4:8080
-A SEP-B -s 10.1.0.9/32 -j MASQ
-A SEP-B -p tcp -m recent --set --name B --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.1.0.9:8080
-A STALE -j DROP
`
const affinity = `-A SVC -m recent --rcheck --seconds 60 --reap --name A --mask 255.255.255.255 --rsource -j SEP-A
-A SVC -m recent --rcheck --seconds 60 --reap --name B --mask 255.255.255.255 --rsource -j SEP-B
`
const service = `-A PREROUTING -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j SVC
-A OUTPUT -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j SVC
`
const draw = `-A SVC -m statistic --mode random --probability 0.50000000000 -j SEP-A
-A SVC -j SEP-B
`

function check(text: string, flow: Flow, expected: string): void {
  const { verdict } = simulateIptablesSave(text).verdict(flow, node)
  assert.is(formatVerdict(verdict), expected)
}

test('a draw gives both backends, the hairpin one masqueraded', () => {
  const text = `${natHead}${service}${draw}COMMIT\n`
  check(text, received, 'balance 10.1.0.4:8080 10.1.0.9:8080+masquerade')
  check(text, local, 'balance 10.1.0.4:8080 10.1.0.9:8080')
  check(text, { ...received, destinationPort: 81 }, 'untouched')
  check(text, { ...received, protocol: 'UDP' }, 'untouched')
})

test('recent lists count as empty and give the timeout', () => {
  const text = `${natHead}${service}${affinity}${draw}COMMIT\n`
  check(text, local, 'balance 10.1.0.4:8080 10.1.0.9:8080 affinity 60s')
})

test('a negated source outside the range is masqueraded', () => {
  const mark = '-A SVC ! -s 10.1.0.0/16 -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j MASQ\n'
  const text = `${natHead}${service}${mark}${draw}COMMIT\n`
  check(text, local, 'balance 10.1.0.4:8080+masquerade 10.1.0.9:8080+masquerade')
})

test('interfaces, address types and states', () => {
  const filter = (rule: string): string => `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
${['INPUT', 'FORWARD', 'OUTPUT'].map((chain) => `-A ${chain} ${rule}`).join('\n')}
COMMIT
`
  check(filter('-i veth+ -j DROP'), received, 'drop')
  check(filter('! -i veth+ -j DROP'), received, 'untouched')
  check(filter('! -i veth+ -j DROP'), local, 'drop')
  check(filter('-m addrtype --src-type LOCAL -j DROP'), local, 'drop')
  check(filter('-m addrtype --dst-type LOCAL -j DROP'), local, 'untouched')
  const toNode = { ...received, destination: '192.0.2.1' }
  check(
    filter('-m addrtype --dst-type LOCAL -j REJECT --reject-with icmp-port-unreachable'),
    toNode,
    'reject',
  )
  check(filter('-m conntrack --ctstate NEW -j DROP'), received, 'drop')
  check(filter('-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP'), received, 'drop')
  check(
    filter('-m conntrack --ctstate INVALID -m nfacct --nfacct-name  x -j DROP'),
    received,
    'untouched',
  )
})

test('a rule that is not understood is an error that names file and line', () => {
  const lines = [
    '-m physdev --physdev-is-in -j DROP',
    '-m tcp --syn -j DROP',
    '-j NFQUEUE',
    '-j GONE',
  ]
  for (const line of lines) {
    try {
      simulateIptablesSave(`*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ${line}\nCOMMIT\n`, 'x.txt')
      assert.unreachable(`accepted ${line}`)
    } catch (error) {
      assert.instance(error, DecodeError)
      assert.match((error as Error).message, /^x\.txt:3: rule: got /)
    }
  }
})

test.run()
