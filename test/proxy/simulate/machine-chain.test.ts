import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Flow } from '../../../src/net/flow.ts'
import type { Expression } from '../../../src/netlink/nftables/expressions.ts'
import { programVerdict } from '../../../src/proxy/simulate/program-verdict.ts'
import { flow, ip, make, port, program, word } from './program-fixture.ts'

const jump = (chain: string): readonly Expression[] => [make.verdict(-3, chain)]
const goTo = (chain: string): readonly Expression[] => [make.verdict(-4, chain)]
const back: readonly Expression[] = [make.verdict(-5)]
const drop: readonly Expression[] = [make.verdict(0)]
const accept: readonly Expression[] = [make.verdict(1)]
const reject: readonly Expression[] = [{ name: 'reject', data: { type: 0, icmpCode: 3 } }]
const to = (address: string): readonly Expression[] => [
  make.value(word(0), ip(address) + port(80)),
  make.dnat(word(0), word(1)),
]

function verdictOf(chains: Parameters<typeof program>[0], of: Flow = flow): string {
  const { verdict } = programVerdict(program(chains), of, ['192.168.0.1'])
  return verdict.kind === 'balance' ? [...verdict.backends.keys()].join(' ') : verdict.kind
}

test('jump comes back to the next rule, goto to the caller of the chain it left', () => {
  assert.is(verdictOf({ prerouting: [jump('one'), drop], one: [] }), 'drop')
  assert.is(verdictOf({ prerouting: [goTo('one'), drop], one: [] }), 'untouched')
  const nested = {
    prerouting: [jump('one'), drop],
    one: [goTo('two'), accept],
    two: [back, accept],
  }
  assert.is(verdictOf(nested), 'drop')
})

test('return in a base chain is its policy, accept ends it', () => {
  assert.is(verdictOf({ prerouting: [back, drop] }), 'untouched')
  assert.is(verdictOf({ prerouting: [jump('one'), drop], one: [accept] }), 'untouched')
})

test('15 jumps are followed, 16 refused; gotos count too', () => {
  const depth = (count: number, step: typeof jump) => ({
    prerouting: [step('c1')],
    ...Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `c${index + 1}`,
        index + 1 === count ? [drop] : [step(`c${index + 2}`)],
      ]),
    ),
  })
  assert.is(verdictOf(depth(15, jump)), 'drop')
  assert.throws(() => verdictOf(depth(16, jump)), /chain c16 is 16 jumps deep/)
  assert.throws(() => verdictOf(depth(16, goTo)), /chain c16 is 16 jumps deep/)
  assert.throws(() => verdictOf({ prerouting: [jump('self')], self: [jump('self')] }), /too many/)
})

test('a jump to a chain that is not there is an error', () => {
  assert.throws(() => verdictOf({ prerouting: [jump('none')] }), /rule 1: there is no chain none/)
})

test('destination NAT decides between forward and input', () => {
  const chains = { input: [drop], forward: [reject] }
  assert.is(verdictOf({ prerouting: [to('10.1.0.9')], ...chains }), 'reject')
  assert.is(verdictOf({ prerouting: [to('192.168.0.1')], ...chains }), 'drop')
  const local: Flow = { ...flow, origin: 'local', source: '192.168.0.1' }
  assert.is(verdictOf({ output: [to('10.1.0.9')], ...chains }, local), '10.1.0.9:80')
  assert.is(verdictOf({ output: [to('192.168.0.1')], ...chains }, local), 'drop')
})

test('nat expressions are refused outside their hooks and families', () => {
  assert.throws(() => verdictOf({ forward: [to('10.1.0.9')] }), /only allowed in nat chains/)
  assert.throws(() => verdictOf({ postrouting: [to('10.1.0.9')] }), /prerouting, output/)
  assert.throws(() => verdictOf({ prerouting: [[{ name: 'masq', data: {} }]] }), /at postrouting/)
  assert.throws(() => verdictOf({ postrouting: [reject] }), /not allowed in postrouting/)
  const other: Expression = { name: 'nat', data: { type: 1, family: 10 } }
  assert.throws(() => verdictOf({ prerouting: [[other]] }), /family 10 does not fit/)
})

test('the first nat chain that decides at a hook is the last one asked; filters still are', () => {
  const first = program({ prerouting: [to('10.1.0.9')] })
  const second = program({ prerouting: [to('10.1.0.8')] })
  const both = { tables: [...first.tables, ...second.tables] }
  const { verdict } = programVerdict(both, flow, [])
  assert.equal(verdict.kind === 'balance' && [...verdict.backends.keys()], ['10.1.0.9:80'])
  const filter = program({ forward: [drop] })
  const three = { tables: [...both.tables, ...filter.tables] }
  assert.is(programVerdict(three, flow, []).verdict.kind, 'drop')
})

test('tables of the other family are not asked', () => {
  const of6: Flow = { ...flow, family: 6, source: 'fd00::5', destination: 'fd00:10:96::1' }
  assert.is(verdictOf({ prerouting: [drop] }, of6), 'untouched')
})

test.run()
