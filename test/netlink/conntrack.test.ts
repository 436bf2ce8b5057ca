import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readAddress } from '../../src/net/address.ts'
import { fromByteString } from '../../src/net/byte-string.ts'
import { DecodeError } from '../../src/net/decode-error.ts'
import { AttributeReader } from '../../src/netlink/attribute-reader.ts'
import { AttributeWriter } from '../../src/netlink/attribute-writer.ts'
import { decodeAttributes, encodeAttributes } from '../../src/netlink/attributes.ts'
import { ConntrackConnection, formatTuple } from '../../src/netlink/conntrack.ts'
import { decodeFlow, flowAttributes } from '../../src/netlink/conntrack-flow.ts'
import { inFreshNamespace } from '../support/fresh-namespace.ts'
import { needsRoot } from '../support/needs-root.ts'
import { valuesOf } from './support/attribute-arbitrary.ts'

const test = suite('netlink/conntrack')
const root = needsRoot(test)

/** One flow per line, as conntrack(8) takes it. */
const flows = [
  '-p udp -s 10.1.0.2 -d 10.96.0.10 --sport 4000 --dport 53 -r 10.1.0.9 -q 10.1.0.2 --reply-port-src 5353 --reply-port-dst 4000 --mark 5',
  '-p udp -s 10.1.0.3 -d 10.96.0.10 --sport 4000 --dport 53',
  '-p tcp -s 10.1.0.3 -d 10.96.0.10 --sport 4000 --dport 80 --state ESTABLISHED',
  '-p udp -s fd00::1 -d fd00::2 --sport 4000 --dport 53',
]

async function withFlows(body: (connection: ConntrackConnection) => void): Promise<void> {
  await inFreshNamespace(() => {
    for (const flow of flows) {
      const args = ['-I', ...flow.split(' '), '--timeout', '100']
      execFileSync('conntrack', args, { stdio: 'ignore' })
    }
    const connection = ConntrackConnection.open()
    try {
      body(connection)
    } finally {
      connection.close()
    }
  })
}

root('flows are listed as conntrack lists them', () =>
  withFlows((connection) => {
    for (const [family, name] of [
      [4, 'ipv4'],
      [6, 'ipv6'],
    ] as const) {
      const args = ['-L', '-f', name]
      const listing = execFileSync('conntrack', args, { encoding: 'utf8', stdio: 'pipe' })
      const theirs = listing
        .split('\n')
        .filter((line) => line.includes('src='))
        .map((line) => {
          const number = line.split(/\s+/)[1]
          const ends = [...line.matchAll(/(?:src|dst|sport|dport|mark)=(\S+)/g)].map(
            ([, end]) => end,
          )
          return [number, ...ends].join(' ')
        })
      const ours = connection.listFlows({ family }).map((flow) => {
        const texts = [flow.original, flow.reply].map((tuple) =>
          [
            readAddress(fromByteString(tuple.source), 0, family),
            readAddress(fromByteString(tuple.destination), 0, family),
            tuple.sourcePort,
            tuple.destinationPort,
          ].join(' '),
        )
        return [flow.original.protocol, ...texts, flow.mark].join(' ')
      })
      assert.equal(ours.sort(), theirs.sort())
    }
  }),
)

root('filters leave only what matches', () =>
  withFlows((connection) => {
    const count = (original: Parameters<typeof connection.listFlows>[0]['original']) =>
      connection.listFlows({ family: 4, ...(original === undefined ? {} : { original }) }).length
    assert.is(count(undefined), 3)
    assert.is(count({ protocol: 17 }), 2)
    assert.is(count({ protocol: 17, destinationPort: 53 }), 2)
    assert.is(count({ source: '\x0a\x01\0\x02' }), 1)
    assert.is(count({ protocol: 6, destination: '\x0a\x60\0\x0a' }), 1)
    assert.is(count({ protocol: 132 }), 0)
    assert.is(connection.listFlows({ family: 4, mark: { value: 5, mask: 0xff } }).length, 1)
  }),
)

root('status, TCP state and times are decoded', () =>
  withFlows((connection) => {
    const [tcp] = connection.listFlows({ family: 4, original: { protocol: 6 } })
    assert.is(tcp?.tcpState, 3)
    assert.ok((tcp?.timeoutSeconds ?? 0) > 90)
    assert.is(tcp?.zone, 0)
    const [six] = connection.listFlows({ family: 6 })
    const text = six === undefined ? '' : formatTuple(six.original)
    assert.is(text, 'protocol 17 [fd00::1]:4000 -> [fd00::2]:53')
  }),
)

root('flows are deleted one by one, and one that has gone is no error', () =>
  withFlows((connection) => {
    const udp = connection.listFlows({ family: 4, original: { protocol: 17 } })
    assert.is(connection.deleteFlows(udp), 2)
    assert.is(connection.deleteFlows(udp), 0)
    assert.is(connection.listFlows({ family: 4 }).length, 1)
    connection.flush()
    assert.is(connection.listFlows({ family: 4 }).length, 0)
    assert.is(connection.listFlows({ family: 6 }).length, 0)
  }),
)

test('the fast decoder and the table agree', () => {
  fc.assert(
    fc.property(valuesOf(flowAttributes), (value) => {
      const writer = new AttributeWriter()
      encodeAttributes(writer, flowAttributes, value)
      const bytes = writer.written()
      const flow = decodeFlow(new AttributeReader(bytes), 4)
      const table = decodeAttributes(flowAttributes, bytes, 'test')
      const protocol = table.original?.protocol
      assert.is(flow.original.protocol, protocol?.number ?? 0)
      assert.is(flow.original.destinationPort, protocol?.destinationPort ?? 0)
      assert.is(flow.reply.sourcePort, table.reply?.protocol?.sourcePort ?? 0)
      assert.is(flow.tcpState, table.protocolState?.tcp?.state)
      assert.equal(
        [flow.status, flow.mark, flow.zone, flow.id, flow.timeoutSeconds],
        [table.status, table.mark, table.zone, table.id, table.timeoutSeconds].map((n) => n ?? 0),
      )
    }),
    { numRuns: 500 },
  )
})

test('any bytes are a flow or a DecodeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        decodeFlow(new AttributeReader(bytes), 6)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
      }
    }),
    { numRuns: 2000 },
  )
})

test.run()
