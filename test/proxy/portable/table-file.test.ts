import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DecodeError } from '../../../src/net/decode-error.ts'
import { environmentLines } from '../../../src/proxy/portable/environment-lines.ts'
import type { PlacedPort } from '../../../src/proxy/portable/place-table.ts'
import {
  decodeTable,
  readTableFile,
  removeTableFile,
  writeTableFile,
} from '../../../src/proxy/portable/table-file.ts'

const test = suite('proxy/portable/table-file')

const web: PlacedPort = {
  service: 'default/web-shop',
  portName: 'http',
  protocol: 'TCP',
  port: 80,
  frontend: '10.96.0.10:80',
  place: { address: '127.65.1.2', port: 10_080 },
  failure: undefined,
  endpoints: 2,
}
const admin: PlacedPort = { ...web, portName: 'admin', port: 8443, place: undefined }
const metrics: PlacedPort = { ...web, portName: '', port: 53, protocol: 'UDP', service: 'ops/dns' }

test('what is written is read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-table-'))
  const file = join(folder, 'table.json')
  writeTableFile(file, [web, { ...admin, failure: 'no socket' }])
  const { ports, pid } = readTableFile(file)
  assert.is(pid, process.pid)
  assert.equal(
    ports.map(({ portName, place, failure }) => [portName, place?.port, failure]),
    [
      ['http', 10_080, undefined],
      ['admin', undefined, 'no socket'],
    ],
  )
  removeTableFile(file)
  assert.not(existsSync(file))
  rmSync(folder, { recursive: true })
})

test('the table of another process is not removed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-table-'))
  const file = join(folder, 'table.json')
  writeFileSync(file, JSON.stringify({ kind: 'PortolanPortableTable', pid: 1, ports: [] }))
  removeTableFile(file)
  assert.ok(existsSync(file))
  rmSync(folder, { recursive: true })
})

test('a wrong table is refused with every fault', () => {
  const text = JSON.stringify({ kind: 'x', pid: 1, ports: [{ ...web, port: 0, protocol: 'SCTP' }] })
  assert.throws(
    () => decodeTable(text, 'FILE'),
    /^FILE: kind: got "x", .*ports\[0\]\.protocol: got "SCTP", .*ports\[0\]\.port: got 0/,
  )
})

test('any text is a table or a DecodeError', () => {
  const texts = fc.oneof(fc.string(), fc.json())
  fc.assert(
    fc.property(texts, (text) => {
      try {
        decodeTable(text, 'FILE')
      } catch (error) {
        assert.instance(error, DecodeError)
      }
    }),
    { numRuns: 300, seed: 3 },
  )
})

test('lines for a shell have the names that a pod has', () => {
  const lines = environmentLines([web, admin, metrics], 'default').split('\n')
  assert.equal(lines.slice(0, 8), [
    'export WEB_SHOP_SERVICE_HOST=127.65.1.2',
    'export WEB_SHOP_SERVICE_PORT=10080',
    'export WEB_SHOP_SERVICE_PORT_HTTP=10080',
    'export WEB_SHOP_PORT=tcp://127.65.1.2:10080',
    'export WEB_SHOP_PORT_80_TCP=tcp://127.65.1.2:10080',
    'export WEB_SHOP_PORT_80_TCP_PROTO=tcp',
    'export WEB_SHOP_PORT_80_TCP_ADDR=127.65.1.2',
    'export WEB_SHOP_PORT_80_TCP_PORT=10080',
  ])
  assert.is(lines[8], 'export OPS_DNS_SERVICE_HOST=127.65.1.2')
})

test('nothing but addresses, numbers and plain names come into a shell', () => {
  assert.is(environmentLines([{ ...web, service: 'default/x;reboot' }], 'default'), '')
  const evil = { ...web, place: { address: '$(reboot)', port: 1 } }
  const text = JSON.stringify({ kind: 'PortolanPortableTable', pid: 1, ports: [evil] })
  assert.throws(() => decodeTable(text, 'FILE'), /ports\[0\]\.place/)
})

test.run()
