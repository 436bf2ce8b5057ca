import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Flow } from '../../../src/net/flow.ts'
import type { Expression } from '../../../src/netlink/nftables/expressions.ts'
import type { SetDefinition, SetElement } from '../../../src/netlink/nftables/objects.ts'
import { programVerdict } from '../../../src/proxy/simulate/program-verdict.ts'
import { bytes, flow, host, ip, make, port, program, set, word } from './program-fixture.ts'

const drop = make.verdict(0)

/** Whether the packet is dropped by a rule of these expressions and a drop. */
function matches(
  expressions: readonly Expression[],
  from: Flow = flow,
  sets: readonly SetDefinition[] = [],
  elements: Record<string, readonly SetElement[]> = {},
): boolean {
  const { verdict } = programVerdict(
    program(
      { prerouting: [[...expressions, drop]], output: [[...expressions, drop]] },
      sets,
      elements,
    ),
    from,
    ['192.168.0.1'],
  )
  return verdict.kind === 'drop'
}

function refused(expressions: readonly Expression[], reason: RegExp): void {
  assert.throws(() => matches(expressions, flow, [set('one', [4])], {}), reason)
}

test('payload reads both headers, and a load past the end does not match', () => {
  assert.ok(matches([make.network(12, 4, 1), make.equal(1, ip('10.1.0.5'))]))
  assert.ok(matches([make.network(16, 4, 2), make.equal(2, ip('10.96.0.1'))]))
  assert.ok(matches([make.network(9, 1, 1), make.equal(1, bytes(6))]))
  assert.ok(matches([make.transport(0, 4, word(15)), make.equal(word(15), bytes(156, 64, 0, 80))]))
  assert.not(matches([make.transport(18, 4, 1)]))
  assert.ok(matches([make.transport(0, 8, 1)], { ...flow, protocol: 'UDP' }))
  assert.not(matches([make.transport(0, 9, 1)], { ...flow, protocol: 'UDP' }))
  refused(
    [{ name: 'payload', data: { dreg: 1, base: 0, offset: 0, len: 4 } }],
    /base 0: expected 1/,
  )
})

test('a short load clears the rest of its word', () => {
  const rule = [make.value(word(0), bytes(1, 2, 3, 4)), make.transport(2, 2, word(0))]
  assert.ok(matches([...rule, make.equal(word(0), port(80))]))
})

test('registers 1..4 are made of four words each, and 5 does not exist', () => {
  const quarter = bytes(...Array.from({ length: 16 }, (_, index) => index))
  assert.ok(matches([make.value(2, quarter), make.equal(word(5), bytes(4, 5, 6, 7))]))
  refused([make.value(5, bytes(1))], /register 5 does not exist/)
  refused([make.value(word(16), bytes(1))], /register 24 does not exist/)
  refused([make.value(word(15), quarter)], /16 bytes do not fit/)
})

test('a register that this rule has not written is refused', () => {
  refused([make.equal(1, bytes(0))], /rule 1, expression 1 \(cmp\): register 1 is read before/)
  refused([make.value(word(0), host(1)), make.equal(1, bytes(0, 0, 0, 0, 0))], /read before/)
  const two = program({ prerouting: [[make.value(1, host(1))], [make.setMark(1)]] })
  assert.throws(() => programVerdict(two, flow, []), /rule 2, expression 1 \(meta\): register 1/)
})

test('cmp knows all six operators, byte-wise', () => {
  const answers = (value: string): boolean[] =>
    [0, 1, 2, 3, 4, 5].map((op) => matches([make.value(1, bytes(2, 0)), make.equal(1, value, op)]))
  assert.equal(answers(bytes(2, 0)), [true, false, false, true, false, true])
  assert.equal(answers(bytes(1, 255)), [false, true, false, false, true, true])
  assert.equal(answers(bytes(2, 1)), [false, true, true, true, false, false])
  refused([make.value(1, bytes(1)), make.equal(1, bytes(1), 6)], /operator or value/)
})

test('bitwise masks and flips', () => {
  const rule = [
    make.value(1, bytes(0xf5, 0x0f)),
    make.bitwise(1, 2, bytes(0xf0, 0xf0), bytes(1, 2)),
  ]
  assert.ok(matches([...rule, make.equal(2, bytes(0xf1, 2))]))
  const short: Expression = {
    name: 'bitwise',
    data: { sreg: 1, dreg: 1, len: 4, mask: { value: new Uint8Array(2) }, xor: {} },
  }
  refused([make.value(1, host(1)), short], /mask and xor must have 4 bytes/)
})

test('meta gives protocol, family, interface and mark', () => {
  assert.ok(matches([make.meta(16, 1), make.equal(1, bytes(6, 0, 0, 0))]))
  assert.ok(matches([make.meta(15, 1), make.equal(1, bytes(2))]))
  assert.ok(matches([make.meta(6, 1), make.equal(1, 'veth1'.padEnd(16, '\0'))]))
  const sent: Flow = { ...flow, origin: 'local', source: '192.168.0.1' }
  assert.ok(matches([make.meta(6, 1), make.equal(1, '\0'.repeat(16))], sent))
  const mark = [make.value(1, host(7)), make.setMark(1), make.meta(3, 2), make.equal(2, host(7))]
  assert.ok(matches(mark))
  refused([make.meta(4, 1)], /does not know meta key 4/)
  refused([{ name: 'meta', data: { key: 2, sreg: 1 } }], /how to set meta key 2/)
})

test('ct state is new, ct status tells nothing before NAT, other keys are not known', () => {
  const state: Expression = { name: 'ct', data: { key: 0, dreg: 1 } }
  assert.ok(matches([state, make.equal(1, host(8))]))
  const status: Expression = { name: 'ct', data: { key: 2, dreg: 1 } }
  assert.ok(matches([status, make.equal(1, host(0))]))
  refused([{ name: 'ct', data: { key: 3, dreg: 1 } }], /ct key 3/)
})

test('fib gives the type of an address', () => {
  const type = (destination: string, number: number): boolean =>
    matches([make.fib(2, 1), make.equal(1, host(number))], { ...flow, destination })
  assert.ok(type('192.168.0.1', 2))
  assert.ok(type('127.3.2.1', 2))
  assert.ok(type('10.96.0.1', 1))
  assert.ok(type('224.0.0.1', 5))
  assert.ok(type('255.255.255.255', 3))
  const own: Flow = { ...flow, origin: 'local', source: '192.168.0.1' }
  assert.ok(matches([make.fib(1, 1), make.equal(1, host(2))], own))
  refused([{ name: 'fib', data: { dreg: 1, result: 1, flags: 2 } }], /fib result 1/)
  refused([make.fib(3, 1)], /fib flags 3/)
})

test('lookup: a miss ends the rule, an inverted one a hit', () => {
  const sets = [set('one', [4])]
  const elements = { one: [{ key: ip('10.96.0.1') }] }
  const rule = (flags?: number) => [make.network(16, 4, 1), make.lookup('one', 1, undefined, flags)]
  const other = { ...flow, destination: '10.96.0.2' }
  assert.ok(matches(rule(), flow, sets, elements))
  assert.not(matches(rule(), other, sets, elements))
  assert.not(matches(rule(1), flow, sets, elements))
  assert.ok(matches(rule(1), other, sets, elements))
  refused([make.value(1, host(1)), make.lookup('none', 1)], /there is no set none/)
  assert.throws(
    () => matches([...rule(), make.lookup('one', 1, 2)], flow, sets, elements),
    /no values/,
  )
})

test('lookup: values go to a register, verdicts decide', () => {
  const map = set('map', [4], { data: { type: 0, bytes: 4 } })
  const load = make.network(16, 4, 1)
  const values = { map: [{ key: ip('10.96.0.1'), value: host(5) }] }
  assert.ok(matches([load, make.lookup('map', 1, 2), make.equal(2, host(5))], flow, [map], values))
  assert.throws(() => matches([load, make.lookup('map', 1, 0)], flow, [map], values), /no verdicts/)
  const short = { map: [{ key: ip('10.96.0.1'), value: bytes(5) }] }
  assert.throws(() => matches([load, make.lookup('map', 1, 2)], flow, [map], short), /4 bytes/)
  const verdicts = { map: [{ key: ip('10.96.0.1'), verdict: { code: 1 } }] }
  const vmap = set('map', [4], { data: 'verdict' })
  assert.not(matches([load, make.lookup('map', 1, 0)], flow, [vmap], verdicts))
})

test('expressions that the machine does not know are refused by name', () => {
  refused([{ name: 'hash', data: {} }], /\(hash\): the machine does not know/)
  refused([{ name: 'notrack', data: {} }], /\(notrack\): the machine/)
  refused([{ name: 'immediate', data: { dreg: 1 } }], /neither a value nor a verdict/)
  refused([make.random(0, 1)], /modulus 0: expected 1\.\./)
  assert.ok(matches([{ name: 'counter', data: {} }]))
})

test.run()
