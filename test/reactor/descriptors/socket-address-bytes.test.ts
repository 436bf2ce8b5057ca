import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeSocketAddress } from '../../../src/reactor/descriptors/socket-address-bytes.ts'

const bytes = suite('reactor/descriptors/socket-address-bytes')

const rows: readonly [string, string][] = [
  ['192.0.2.1', '0200 0035 c0000201 0000000000000000'],
  ['2001:db8::1', '0a00 0035 00000000 20010db8000000000000000000000001 00000000'],
  ['fe80::1%2', '0a00 0035 00000000 fe800000000000000000000000000001 02000000'],
  // The loopback interface is the first one of every network namespace.
  ['fe80::1%lo', '0a00 0035 00000000 fe800000000000000000000000000001 01000000'],
  ['fe80::1%none', '0a00 0035 00000000 fe800000000000000000000000000001 00000000'],
]
for (const [address, expected] of rows) {
  const run = process.platform === 'linux' ? bytes : bytes.skip
  run(`encodeSocketAddress of ${address} has the kernel's form`, () => {
    const target = new Uint8Array(28).fill(0xdb)
    const length = encodeSocketAddress({ address, port: 53 }, target)
    const written = Buffer.from(target.subarray(0, length)).toString('hex')
    assert.is(written, expected.replaceAll(' ', ''))
  })
}

bytes.run()
