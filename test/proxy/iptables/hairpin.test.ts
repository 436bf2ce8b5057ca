import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addressBytes, type Family, readAddress } from '../../../src/net/address.ts'
import { sameAddressProgram } from '../../../src/proxy/iptables/hairpin.ts'
import { parseBpf } from '../../../src/proxy/simulate/classic-bpf.ts'
import type { Packet } from '../../../src/proxy/simulate/packet-walk.ts'

const test = suite('proxy/iptables/hairpin')

function packet(family: Family, source: string, destination: string): Packet {
  return {
    family,
    protocol: 'tcp',
    source,
    sourcePort: 1,
    destination,
    destinationPort: 2,
    inputInterface: '',
    mark: 0,
    isDnat: true,
    isMasqueraded: false,
    affinitySeconds: 0,
    isLocalAddress: () => false,
  }
}

test('IPv4: one comparison, as iptables takes it', () => {
  assert.is(sameAddressProgram(4), '6,32 0 0 12,7 0 0 0,32 0 0 16,29 0 1 0,6 0 0 65535,6 0 0 0')
})

for (const family of [4, 6] as const) {
  test(`IPv${family}: holds for equal addresses, and for no two that differ in one bit`, () => {
    const holds = parseBpf(sameAddressProgram(family))
    if (holds === undefined) throw new Error('the program is not understood')
    const size = addressBytes(family)
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: size, maxLength: size }),
        fc.nat(size * 8 - 1),
        (bytes, bit) => {
          const source = readAddress(bytes, 0, family)
          bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          const other = readAddress(bytes, 0, family)
          assert.ok(holds(packet(family, source, source)))
          assert.not(holds(packet(family, source, other)))
        },
      ),
    )
  })
}

test.run()
