import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  decodeDestination,
  decodeServer,
  decodeStatistics,
  encodeDestination,
  encodeServer,
} from '../../src/ipvs/ipvs-codec.ts'
import * as tables from '../../src/ipvs/ipvs-tables.ts'
import type { VirtualServer, VirtualServerKey } from '../../src/ipvs/virtual-server.ts'
import { type Family, readAddress } from '../../src/net/address.ts'
import { DecodeError } from '../../src/net/decode-error.ts'
import { protocols } from '../../src/net/protocol.ts'
import type { Attributes, Decoded } from '../../src/netlink/attribute-kinds.ts'
import { AttributeWriter } from '../../src/netlink/attribute-writer.ts'
import { decodeAttributes, encodeAttributes } from '../../src/netlink/attributes.ts'
import { valuesOf } from '../netlink/support/attribute-arbitrary.ts'

const test = suite('ipvs/ipvs-codec')

/** Through bytes and back. */
function pass<A extends Attributes>(table: A, value: Decoded<A>): Decoded<A> {
  const writer = new AttributeWriter()
  encodeAttributes(writer, table, value)
  return decodeAttributes(table, writer.written().slice(), 'test')
}

const family = fc.constantFrom<Family>(4, 6)
const addressOf = (of: Family): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: of === 4 ? 4 : 16, maxLength: of === 4 ? 4 : 16 })
    .map((bytes) => readAddress(bytes, 0, of))
const port = fc.nat(0xffff)
const word = fc.nat(0xffff_ffff)

const plain = { noNullPrototype: true } as const

const key = family.chain((of): fc.Arbitrary<VirtualServerKey> => {
  const kind = { address: fc.constant('address' as const), mark: fc.constant('mark' as const) }
  const base = { family: fc.constant(of) }
  const protocol = fc.constantFrom(...protocols)
  return fc.oneof(
    fc.record({ kind: kind.address, ...base, protocol, address: addressOf(of), port }, plain),
    fc.record({ kind: kind.mark, ...base, mark: word }, plain),
  )
})

const server: fc.Arbitrary<VirtualServer> = fc.record(
  {
    key,
    scheduler: fc.constantFrom('rr', 'wlc', 'mh'),
    flags: word.map((flags) => (flags & ~tables.serviceFlags.hashed) >>> 0),
    timeoutSeconds: word,
  },
  plain,
)

test('a virtual server comes back as it was written', () => {
  fc.assert(
    fc.property(server, (value) => {
      assert.equal(decodeServer(pass(tables.serviceAttributes, encodeServer(value))), value)
    }),
  )
})

test('a destination comes back as it was written', () => {
  const destination = family.chain((of) =>
    fc.record({ address: addressOf(of), port, weight: word }, plain),
  )
  fc.assert(
    fc.property(destination, (value) => {
      const bytes = pass(tables.destinationAttributes, encodeDestination(value))
      const { address, port: portNumber, weight } = decodeDestination(bytes, 4)
      assert.equal({ address, port: portNumber, weight }, value)
    }),
  )
})

test('any attributes are a value or a fault', () => {
  fc.assert(
    fc.property(
      valuesOf(tables.serviceAttributes),
      valuesOf(tables.destinationAttributes),
      (service, destination) => {
        for (const decode of [
          () => decodeServer(service),
          () => decodeDestination(destination, 4),
          () => decodeStatistics(service),
        ]) {
          try {
            decode()
          } catch (error) {
            if (!(error instanceof DecodeError)) throw error
          }
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('counters are read with 64 bits where the kernel has them', () => {
  const long = { connections: 1n << 40n, inboundBytes: 1n << 50n }
  const short = { connections: 7, inboundBytes: 9n }
  assert.is(decodeStatistics({ statistics: long, shortStatistics: short }).connections, 1n << 40n)
  assert.is(decodeStatistics({ shortStatistics: short }).connections, 7n)
  assert.is(decodeStatistics({}).outboundBytes, 0n)
})

test('a virtual server without an address is a fault that says so', () => {
  assert.throws(() => decodeServer({ family: 2, protocol: 6 }), /address: .*an IPv4 address/)
  assert.throws(() => decodeServer({ family: 7 }), /family: .*AF_INET \(2\) or AF_INET6 \(10\)/)
  assert.is(decodeServer({ family: 2, protocol: 50 }), undefined)
})

const header = '/usr/include/linux/ip_vs.h'

/** Our names that are not the kernel's in capitals. */
const kernelNames: Readonly<Record<string, string>> = {
  ADDRESS: 'ADDR',
  MARK: 'FWMARK',
  SCHEDULER: 'SCHED_NAME',
  SHORT_STATISTICS: 'STATS',
  STATISTICS: 'STATS64',
  PERSISTENCE_ENGINE: 'PE_NAME',
  FORWARDING: 'FWD_METHOD',
  UPPER_THRESHOLD: 'U_THRESH',
  LOWER_THRESHOLD: 'L_THRESH',
  ACTIVE_CONNECTIONS: 'ACTIVE_CONNS',
  INACTIVE_CONNECTIONS: 'INACT_CONNS',
  PERSISTENT_CONNECTIONS: 'PERSIST_CONNS',
  TUNNEL_TYPE: 'TUN_TYPE',
  TUNNEL_PORT: 'TUN_PORT',
  TUNNEL_FLAGS: 'TUN_FLAGS',
  DESTINATION: 'DEST',
  TCP_TIMEOUT: 'TIMEOUT_TCP',
  TCP_FIN_TIMEOUT: 'TIMEOUT_TCP_FIN',
  UDP_TIMEOUT: 'TIMEOUT_UDP',
  CONNECTION_TABLE_SIZE: 'CONN_TAB_SIZE',
  CONNECTIONS: 'CONNS',
  INBOUND_PACKETS: 'INPKTS',
  OUTBOUND_PACKETS: 'OUTPKTS',
  INBOUND_BYTES: 'INBYTES',
  OUTBOUND_BYTES: 'OUTBYTES',
  CONNECTION_RATE: 'CPS',
  INBOUND_PACKET_RATE: 'INPPS',
  OUTBOUND_PACKET_RATE: 'OUTPPS',
  INBOUND_BYTE_RATE: 'INBPS',
  OUTBOUND_BYTE_RATE: 'OUTBPS',
}

const attributeSets: readonly (readonly [string, Attributes])[] = [
  ['IPVS_CMD_ATTR', tables.commandAttributes],
  ['IPVS_SVC_ATTR', tables.serviceAttributes],
  ['IPVS_DEST_ATTR', tables.destinationAttributes],
  ['IPVS_STATS_ATTR', tables.statisticsAttributes],
  ['IPVS_STATS_ATTR', tables.shortStatisticsAttributes],
  ['IPVS_INFO_ATTR', tables.informationAttributes],
]

function inCapitals(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

/** Names and values of all enums of a header, which count up from 0. */
function enumConstants(text: string): Map<string, number> {
  const found = new Map<string, number>()
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '')
  for (const [, body = ''] of code.matchAll(/enum\s*\{([^}]*)\}/g)) {
    let next = 0
    for (const member of body.split(',')) {
      const [, name, value] = member.match(/^\s*(\w+)\s*(?:=\s*(\d+))?/) ?? []
      if (name === undefined) continue
      next = value === undefined ? next : Number(value)
      found.set(name, next++)
    }
  }
  return found
}

if (!existsSync(header)) {
  process.stdout.write(`# skipped: numbers: ${header} is not on this machine (linux-libc-dev)\n`)
  test.skip('numbers are those of the kernel header', () => {})
} else {
  test('numbers are those of the kernel header', () => {
    const constants = enumConstants(readFileSync(header, 'utf8'))
    for (const [prefix, table] of attributeSets) {
      for (const [name, { id }] of Object.entries(table)) {
        const ours = inCapitals(name)
        const constant = `${prefix}_${kernelNames[ours] ?? ours}`
        // An address family is AF in one table and ADDR_FAMILY in the other.
        const family =
          prefix === 'IPVS_SVC_ATTR' ? 'IPVS_SVC_ATTR_AF' : 'IPVS_DEST_ATTR_ADDR_FAMILY'
        assert.is(id, constants.get(name === 'family' ? family : constant), constant)
      }
    }
    for (const [name, number] of Object.entries(tables.ipvsCommands)) {
      const constant = `IPVS_CMD_${inCapitals(name)
        .replace('DELETE', 'DEL')
        .replace('DESTINATION', 'DEST')
        .replace('CONFIGURATION', 'CONFIG')
        .replace('INFORMATION', 'INFO')}`
      assert.is(number, constants.get(constant), constant)
    }
  })
}

test.run()
