import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Family, parseAddress, readAddress } from '../../src/net/address.ts'
import { decodeProxyHeader } from '../../src/proxy-protocol/decode-proxy-header.ts'
import { encodeProxyHeader } from '../../src/proxy-protocol/encode-proxy-header.ts'
import type { ProxiedFlow } from '../../src/proxy-protocol/proxied-flow.ts'

const header = suite('headers of the PROXY protocol')

const versions = fc.constantFrom('v1', 'v2')

function ends(family: Family): fc.Arbitrary<ProxiedFlow['source']> {
  const size = family === 4 ? 4 : 16
  return fc.record(
    {
      address: fc
        .uint8Array({ minLength: size, maxLength: size })
        .map((bytes) => readAddress(bytes, 0, family))
        .filter((text) => parseAddress(text) !== undefined),
      port: fc.integer({ min: 0, max: 65_535 }),
    },
    { noNullPrototype: true },
  )
}

const flows = fc
  .constantFrom<Family>(4, 6)
  .chain((family) =>
    fc.record({ source: ends(family), destination: ends(family) }, { noNullPrototype: true }),
  )

const flow: ProxiedFlow = {
  source: { address: '192.0.2.1', port: 40_000 },
  destination: { address: '198.51.100.7', port: 443 },
}

function expected(bytes: Uint8Array): string {
  const decoded = decodeProxyHeader(bytes)
  return decoded.kind === 'wrong' ? decoded.expected : decoded.kind
}

header('what is encoded is decoded, whatever follows', () => {
  fc.assert(
    fc.property(versions, flows, fc.uint8Array(), (version, sent, rest) => {
      const bytes = encodeProxyHeader(version, sent)
      const decoded = decodeProxyHeader(Buffer.concat([bytes, rest]))
      assert.equal(decoded, { kind: 'header', byteCount: bytes.length, flow: sent })
    }),
  )
})

header('every beginning asks for more, and every byte is awaited only once', () => {
  fc.assert(
    fc.property(versions, flows, (version, sent) => {
      const bytes = encodeProxyHeader(version, sent)
      for (let length = 0; length < bytes.length; length++) {
        assert.is(decodeProxyHeader(bytes.subarray(0, length)).kind, 'incomplete')
      }
    }),
    { numRuns: 20 },
  )
})

header('other bytes are refused at the first that differs', () => {
  assert.is(expected(Buffer.from('G')), 'a header of the PROXY protocol, version 1 or 2')
  assert.is(expected(Buffer.from('PROXIED')), 'a header of the PROXY protocol, version 1 or 2')
  assert.is(expected(Buffer.from('\r\n\r\n\r')), 'a header of the PROXY protocol, version 1 or 2')
})

header('any bytes give a header within them, or none', () => {
  const starts = fc.constantFrom(
    'PROXY ',
    'PROXY TCP4 ',
    '\r\n\r\n\0\r\nQUIT\n',
    '\r\n\r\n\0\r\nQUIT\n!',
  )
  fc.assert(
    fc.property(starts, fc.uint8Array({ maxLength: 200 }), (start, rest) => {
      const bytes = Buffer.concat([Buffer.from(start, 'latin1'), rest])
      const decoded = decodeProxyHeader(bytes)
      if (decoded.kind === 'header') assert.ok(decoded.byteCount <= bytes.length)
    }),
  )
})

header('version 1 is as the specification writes it', () => {
  const line = Buffer.from(encodeProxyHeader('v1', flow)).toString()
  assert.is(line, 'PROXY TCP4 192.0.2.1 198.51.100.7 40000 443\r\n')
  const unknown = Buffer.from('PROXY UNKNOWN ffff::1 whatever\r\nGET')
  assert.equal(decodeProxyHeader(unknown), { kind: 'header', byteCount: 32, flow: undefined })
})

header('version 1 is strict', () => {
  const ports = 'addresses of IPv4 and ports 0..65535'
  for (const [line, wanted] of [
    ['PROXY TCP4 192.0.2.1 198.51.100.7 40000 65536\r\n', ports],
    ['PROXY TCP4 192.0.2.1 198.51.100.7 040 443\r\n', ports],
    ['PROXY TCP4 192.0.2.01 198.51.100.7 40 443\r\n', ports],
    ['PROXY TCP4 ::1 ::1 40 443\r\n', ports],
    ['PROXY TCP4 192.0.2.1 198.51.100.7 40 443 \r\n', 'two addresses and two ports'],
    ['PROXY TCP4  192.0.2.1 198.51.100.7 40 443\r\n', 'two addresses and two ports'],
    ['PROXY UDP4 192.0.2.1 198.51.100.7 40 443\r\n', 'TCP4, TCP6 or UNKNOWN'],
    ['PROXY tcp4 192.0.2.1 198.51.100.7 40 443\r\n', 'TCP4, TCP6 or UNKNOWN'],
    [`PROXY UNKNOWN ${'x'.repeat(100)}\r\n`, 'the end of the line within 107 bytes'],
  ] as const) {
    assert.is(expected(Buffer.from(line)), wanted, line)
  }
})

header('version 2 is as the specification writes it', () => {
  assert.is(
    Buffer.from(encodeProxyHeader('v2', flow)).toString('hex'),
    '0d0a0d0a000d0a515549540a2111000cc0000201c63364079c4001bb',
  )
})

header('version 2 takes extensions, and senders without a flow', () => {
  const bytes = Buffer.concat([encodeProxyHeader('v2', flow), Buffer.of(4, 0, 2, 0, 0)])
  bytes.writeUInt16BE(17, 14)
  assert.equal(decodeProxyHeader(bytes), { kind: 'header', byteCount: 33, flow })
  for (const [at, value] of [
    [12, 0x20],
    [13, 0x00],
  ] as const) {
    const anonymous = Buffer.from(encodeProxyHeader('v2', flow))
    anonymous[at] = value
    assert.equal(decodeProxyHeader(anonymous), { kind: 'header', byteCount: 28, flow: undefined })
  }
})

header('version 2 is strict', () => {
  const changed = (at: number, ...values: number[]): Buffer => {
    const bytes = Buffer.concat([encodeProxyHeader('v2', flow), Buffer.alloc(5_000)])
    bytes.set(values, at)
    return bytes
  }
  assert.is(expected(changed(12, 0x11)), 'version 2 with the command LOCAL or PROXY')
  assert.is(expected(changed(12, 0x22)), 'version 2 with the command LOCAL or PROXY')
  assert.is(expected(changed(13, 0x12)), 'TCP over IPv4 or IPv6')
  assert.is(expected(changed(13, 0x31)), 'TCP over IPv4 or IPv6')
  assert.is(expected(changed(14, 0, 11)), 'room for addresses of IPv4')
  assert.is(expected(changed(14, 0, 14)), 'whole extensions')
  assert.is(expected(changed(14, 0x10, 1)), 'at most 4096 bytes behind the first 16')
})

header.run()
