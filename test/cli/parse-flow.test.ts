import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseFlow } from '../../src/cli/parse-flow.ts'

const test = suite('cli/parse-flow')
const local = ['192.168.0.1', 'fd00::1']

function parse(from: string, to: string): string {
  try {
    const flow = parseFlow({ from, to, inputInterface: undefined }, local)
    const { source, sourcePort, destination, destinationPort, protocol, origin } = flow
    return `${source} ${sourcePort} ${destination} ${destinationPort} ${protocol} ${origin}`
  } catch (error) {
    return (error as Error).message
  }
}

const rows: readonly [string, string, string][] = [
  ['10.0.0.1', '10.96.0.1:80/tcp', '10.0.0.1 49152 10.96.0.1 80 TCP received'],
  ['10.0.0.1:5', '10.96.0.1:80', '10.0.0.1 5 10.96.0.1 80 TCP received'],
  ['192.168.0.1', '10.96.0.1:53/UDP', '192.168.0.1 49152 10.96.0.1 53 UDP local'],
  ['127.0.0.1', '10.96.0.1:9/sctp', '127.0.0.1 49152 10.96.0.1 9 SCTP local'],
  ['fd00::5', '[fd00::10]:53/udp', 'fd00::5 49152 fd00::10 53 UDP received'],
  ['[fd00:0::1]:7', '[fd00::10]:53', 'fd00::1 7 fd00::10 53 TCP local'],
  ['pod', '10.96.0.1:80', 'FROM: got "pod", expected an address, with a port or without'],
  [
    '10.0.0.1',
    '10.96.0.1',
    'TO: got "10.96.0.1", expected address:port/protocol (10.96.0.10:80/tcp)',
  ],
  [
    '10.0.0.1',
    '10.96.0.1:80/icmp',
    'TO: got "10.96.0.1:80/icmp", expected the protocol tcp, udp or sctp after the slash',
  ],
  [
    '10.0.0.1',
    '10.96.0.1:70000/tcp',
    'TO: got "10.96.0.1:70000/tcp", expected address:port/protocol (10.96.0.10:80/tcp)',
  ],
  [
    '10.0.0.1',
    '[fd00::10]:53',
    'FROM 10.0.0.1 and TO [fd00::10]:53: both must be IPv4 or both IPv6',
  ],
]

for (const [from, to, expected] of rows) {
  test(`${from} to ${to}`, () => assert.is(parse(from, to), expected))
}

test('the interface is taken over', () => {
  const words = { from: '10.0.0.1', to: '10.96.0.1:80', inputInterface: 'veth1' }
  assert.is(parseFlow(words, []).inputInterface, 'veth1')
})

test.run()
