import type { Flow } from '../../../src/net/flow.ts'
import type { Expression } from '../../../src/netlink/nftables/expressions.ts'
import type { Chain, SetDefinition, SetElement } from '../../../src/netlink/nftables/objects.ts'
import { elementLookup } from '../../../src/proxy/simulate/machine-elements.ts'
import type { ProgramView } from '../../../src/proxy/simulate/program-view.ts'

/** Registers of the fixtures: words 0..15 are NFT_REG32_00 (8) and on. */
export const word = (index: number): number => 8 + index

/** Bytes from numbers. */
export const bytes = (...values: readonly number[]): string => String.fromCharCode(...values)

/** A 32-bit number as it stands in a register of this (little-endian) machine. */
export const host = (value: number): string =>
  bytes(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24)

/** An IPv4 address in network order. */
export const ip = (text: string): string => bytes(...text.split('.').map(Number))
/** A port in network order, padded to a word. */
export const port = (number: number): string => bytes(number >> 8, number & 255, 0, 0)
/** The protocol number of TCP, padded to a word. */
export const tcp = bytes(6, 0, 0, 0)

const raw = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** Expressions by the names that nft --debug=netlink uses. */
export const make = {
  network: (offset: number, len: number, dreg: number): Expression => ({
    name: 'payload',
    data: { dreg, base: 1, offset, len },
  }),
  transport: (offset: number, len: number, dreg: number): Expression => ({
    name: 'payload',
    data: { dreg, base: 2, offset, len },
  }),
  meta: (key: number, dreg: number): Expression => ({ name: 'meta', data: { key, dreg } }),
  setMark: (sreg: number): Expression => ({ name: 'meta', data: { key: 3, sreg } }),
  equal: (sreg: number, value: string, op = 0): Expression => ({
    name: 'cmp',
    data: { sreg, op, data: { value: raw(value) } },
  }),
  bitwise: (sreg: number, dreg: number, mask: string, xor: string): Expression => ({
    name: 'bitwise',
    data: {
      sreg,
      dreg,
      len: mask.length,
      op: 0,
      mask: { value: raw(mask) },
      xor: { value: raw(xor) },
    },
  }),
  value: (dreg: number, value: string): Expression => ({
    name: 'immediate',
    data: { dreg, data: { value: raw(value) } },
  }),
  /** On the wire the code of a verdict is unsigned. */
  verdict: (code: number, chain?: string): Expression => ({
    name: 'immediate',
    data: {
      dreg: 0,
      data: { verdict: { code: code >>> 0, ...(chain === undefined ? {} : { chain }) } },
    },
  }),
  lookup: (set: string, sreg: number, dreg?: number, flags?: number): Expression => ({
    name: 'lookup',
    data: {
      set,
      sreg,
      ...(dreg === undefined ? {} : { dreg }),
      ...(flags === undefined ? {} : { flags }),
    },
  }),
  random: (modulus: number, dreg: number, offset = 0): Expression => ({
    name: 'numgen',
    data: { dreg, modulus, type: 1, offset },
  }),
  dnat: (regAddrMin: number, regProtoMin: number): Expression => ({
    name: 'nat',
    data: { type: 1, family: 2, regAddrMin, regProtoMin },
  }),
  dynset: (op: number, sregKey: number, sregData: number, seconds: number): Expression => ({
    name: 'dynset',
    data: { setName: 'affinity', op, sregKey, sregData, timeout: BigInt(seconds * 1000) },
  }),
  fib: (flags: number, dreg: number): Expression => ({
    name: 'fib',
    data: { dreg, result: 3, flags },
  }),
} as const

/** Key of a frontend in words 0..2: address, protocol, destination port. */
export const loadKey: readonly Expression[] = [
  make.network(16, 4, word(0)),
  make.meta(16, word(1)),
  make.transport(2, 2, word(2)),
]

const hooks: Readonly<Record<string, Chain['hook']>> = {
  prerouting: { type: 'nat', hook: 'prerouting', priority: -100 },
  output: { type: 'nat', hook: 'output', priority: -100 },
  postrouting: { type: 'nat', hook: 'postrouting', priority: 100 },
  forward: { type: 'filter', hook: 'forward', priority: 0 },
  input: { type: 'filter', hook: 'input', priority: 0 },
}

/** A set definition; lengths in bytes, every field a multiple of 4. */
export function set(
  name: string,
  fieldBytes: readonly number[],
  more: Partial<SetDefinition> = {},
) {
  const keyBytes = fieldBytes.reduce((sum, length) => sum + length, 0)
  return { name, keyType: 0, keyBytes, fieldBytes, isInterval: false, isDynamic: false, ...more }
}

/** A program of one table; chains named like a hook are base chains. */
export function program(
  chains: Readonly<Record<string, readonly (readonly Expression[])[]>>,
  sets: readonly SetDefinition[] = [],
  elements: Readonly<Record<string, readonly SetElement[]>> = {},
): ProgramView {
  return {
    tables: [
      {
        table: { family: 'ip', name: 'test' },
        chains: Object.keys(chains).map((name) => {
          const hook = hooks[name]
          return hook === undefined ? { name } : { name, hook }
        }),
        rules: Object.entries(chains).flatMap(([chain, rules]) =>
          rules.map((expressions) => ({ chain, expressions })),
        ),
        sets,
        elements: new Map(
          sets.map((definition) => [
            definition.name,
            elementLookup(definition, elements[definition.name] ?? []),
          ]),
        ),
      },
    ],
  }
}

/** A TCP flow to 10.96.0.1:80 from a pod of this node. */
export const flow: Flow = {
  family: 4,
  protocol: 'TCP',
  source: '10.1.0.5',
  sourcePort: 40000,
  destination: '10.96.0.1',
  destinationPort: 80,
  origin: 'received',
  inputInterface: 'veth1',
}
