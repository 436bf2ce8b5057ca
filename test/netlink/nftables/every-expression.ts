import type { Expression } from '../../../src/netlink/nftables/expressions.ts'
import type { Rule } from '../../../src/netlink/nftables/objects.ts'

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
const mark: Expression = { name: 'meta', data: { dreg: 8, key: 3 } }
const sourceAddress: Expression = {
  name: 'payload',
  data: { dreg: 8, base: 1, offset: 12, len: 4 },
}
const address: Expression = {
  name: 'immediate',
  data: { dreg: 8, data: { value: bytes(1, 2, 3, 4) } },
}
const port: Expression = { name: 'immediate', data: { dreg: 9, data: { value: bytes(0, 80) } } }

const inRegularChain: readonly (readonly Expression[])[] = [
  [address],
  [{ name: 'immediate', data: { dreg: 0, data: { verdict: { code: -3, chain: 'target' } } } }],
  [{ name: 'immediate', data: { dreg: 0, data: { verdict: { code: 0 } } } }],
  [
    mark,
    {
      name: 'bitwise',
      data: {
        sreg: 8,
        dreg: 8,
        len: 4,
        mask: { value: bytes(0, 64, 0, 0) },
        xor: { value: bytes(0, 0, 0, 0) },
      },
    },
    { name: 'cmp', data: { sreg: 8, op: 1, data: { value: bytes(0, 0, 0, 0) } } },
  ],
  [mark, { name: 'meta', data: { key: 3, sreg: 8 } }],
  [mark, { name: 'lookup', data: { set: 'members', sreg: 8 } }],
  [mark, { name: 'lookup', data: { set: 'members', sreg: 8, flags: 1 } }],
  [mark, { name: 'lookup', data: { set: 'times', sreg: 8, dreg: 9 } }],
  [
    mark,
    {
      name: 'dynset',
      data: { setName: 'times', op: 1, sregKey: 8, sregData: 8, timeout: 10_000n },
    },
  ],
  [mark, { name: 'dynset', data: { setName: 'times', op: 2, sregKey: 8, sregData: 8 } }],
  [sourceAddress],
  [{ name: 'ct', data: { dreg: 8, key: 0 } }],
  [
    sourceAddress,
    {
      name: 'range',
      data: {
        sreg: 8,
        op: 0,
        fromData: { value: bytes(1, 0, 0, 0) },
        toData: { value: bytes(2, 0, 0, 0) },
      },
    },
  ],
  [{ name: 'numgen', data: { dreg: 8, modulus: 3, type: 1 } }],
  [{ name: 'numgen', data: { dreg: 8, modulus: 3, type: 0, offset: 5 } }],
  [sourceAddress, { name: 'hash', data: { sreg: 8, dreg: 9, len: 4, modulus: 5, seed: 7 } }],
  [{ name: 'hash', data: { dreg: 9, modulus: 5, type: 1 } }],
  [{ name: 'counter', data: {} }],
  [{ name: 'reject', data: { type: 0, icmpCode: 3 } }],
  [
    { name: 'meta', data: { dreg: 1, key: 16 } },
    { name: 'cmp', data: { sreg: 1, op: 0, data: { value: bytes(6) } } },
    { name: 'reject', data: { type: 1 } },
  ],
  [{ name: 'fib', data: { dreg: 8, result: 3, flags: 2 } }],
]

const inPrerouting: readonly (readonly Expression[])[] = [
  [address, { name: 'nat', data: { type: 1, family: 2, regAddrMin: 8 } }],
  [address, port, { name: 'nat', data: { type: 1, family: 2, regAddrMin: 8, regProtoMin: 9 } }],
  [port, { name: 'redir', data: { regProtoMin: 9 } }],
  [{ name: 'redir', data: {} }],
  [{ name: 'socket', data: { key: 0, dreg: 8 } }],
]

const inPostrouting: readonly (readonly Expression[])[] = [
  [{ name: 'masq', data: { flags: 16 } }],
  [{ name: 'masq', data: {} }],
]

const inRaw: readonly (readonly Expression[])[] = [[{ name: 'notrack', data: {} }]]

/** struct xt_statistic_info of linux/netfilter/xt_statistic.h: a quarter of all packets. */
const quarter = new Uint8Array(24)
quarter[7] = 0x20

const ofXtables: readonly (readonly Expression[])[] = [
  [{ name: 'match', data: { name: 'statistic', revision: 0, info: quarter } }],
  [{ name: 'target', data: { name: 'MARK', revision: 2, info: bytes(1, 0, 0, 0, 1, 0, 0, 0) } }],
]

/** Rules with every expression, chain by chain; they need the sets `members` and `times` and the chain
 *  `target`. */
export const everyExpression: readonly Rule[] = [
  ...inPrerouting.map((expressions) => ({ chain: 'prerouting', expressions })),
  ...inPostrouting.map((expressions) => ({ chain: 'postrouting', expressions })),
  ...inRaw.map((expressions) => ({ chain: 'raw', expressions })),
  ...inRegularChain.map((expressions) => ({ chain: 'regular', expressions })),
  ...ofXtables.map((expressions) => ({ chain: 'regular', expressions, compatProtocol: 0 })),
]
