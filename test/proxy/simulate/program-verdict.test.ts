import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Flow } from '../../../src/net/flow.ts'
import type { Expression } from '../../../src/netlink/nftables/expressions.ts'
import { programShares, programVerdict } from '../../../src/proxy/simulate/program-verdict.ts'
import type { ProgramView } from '../../../src/proxy/simulate/program-view.ts'
import { flow, host, ip, loadKey, make, port, program, set, tcp, word } from './program-fixture.ts'

const bit = host(0x4000)
const keepBit = host(0x4000 ^ 0xffffffff)
const all = host(0xffffffff)

/** Through the mark and back: the pool of the key in words 0..2 stands in word 3 afterwards. */
const loadPool: readonly Expression[] = [
  ...loadKey,
  make.meta(3, word(15)),
  make.lookup('frontends', word(0), word(3)),
  make.setMark(word(3)),
  make.meta(3, word(3)),
  make.setMark(word(15)),
]

const draw = (modulus: number): readonly Expression[] => [
  ...loadPool,
  make.random(modulus, word(4)),
  make.lookup('slots', word(3), word(0)),
  make.dnat(word(0), word(1)),
]

const markMasquerade = [make.meta(3, 1), make.bitwise(1, 1, keepBit, bit), make.setMark(1)]

const masquerade = [
  make.meta(3, 1),
  make.bitwise(1, 2, bit, host(0)),
  make.equal(2, host(0), 1),
  make.bitwise(1, 1, all, bit),
  make.setMark(1),
  { name: 'masq', data: { flags: 16 } } as const,
]

const sets = [
  set('frontends', [4, 4, 4], { data: { type: 0, bytes: 4 } }),
  set('slots', [4, 4], { data: { type: 0, bytes: 8 } }),
  set('affinity', [4, 4], { data: { type: 0, bytes: 4 }, isDynamic: true }),
  set('hairpin', [4, 4]),
]

const backend = (index: number): string => `10.2.${index >> 8}.${index & 255}`

function layout(chains: Parameters<typeof program>[0], endpoints: number): ProgramView {
  return program({ postrouting: [masquerade, hairpin], ...chains }, sets, {
    frontends: [{ key: ip('10.96.0.1') + tcp + port(80), value: host(9), comment: 'default/web' }],
    slots: Array.from({ length: endpoints }, (_, index) => ({
      key: host(9) + host(index),
      value: ip(backend(index)) + port(8080),
    })),
    hairpin: [{ key: ip(backend(0)) + ip(backend(0)) }],
  })
}

const hairpin: readonly Expression[] = [
  make.network(12, 4, word(0)),
  make.network(16, 4, word(1)),
  make.lookup('hairpin', word(0)),
  { name: 'masq', data: {} },
]

test('a flow is balanced over every slot, in equal shares', () => {
  const view = layout({ prerouting: [draw(3)] }, 3)
  const { verdict, path } = programVerdict(view, flow, [])
  assert.equal(verdict, {
    kind: 'balance',
    backends: new Map([0, 1, 2].map((index) => [`${backend(index)}:8080`, false])),
    affinitySeconds: 0,
  })
  assert.equal(path, [
    'table ip test chain prerouting',
    'frontends "default/web"',
    'table ip test chain postrouting',
  ])
  for (const share of programShares(view, flow, []).values()) assert.is(share, 1 / 3)
})

test('a flow to another port is untouched', () => {
  const view = layout({ prerouting: [draw(3)] }, 3)
  const other = { ...flow, destinationPort: 81 }
  assert.equal(programVerdict(view, other, []).verdict, { kind: 'untouched' })
  assert.is(programShares(view, other, []).size, 0)
})

test('a mark set at prerouting masquerades; hairpin flows are masqueraded for their backend only', () => {
  const view = layout({ prerouting: [markMasquerade, draw(2)], output: [draw(2)] }, 2)
  const { verdict } = programVerdict(view, flow, [])
  assert.equal(verdict.kind === 'balance' && [...verdict.backends.values()], [true, true])
  const local: Flow = { ...flow, origin: 'local', source: backend(0) }
  const second = programVerdict(view, local, []).verdict
  assert.equal(second.kind === 'balance' && [...second.backends.values()], [true, false])
})

test('what the node receives for itself is not masqueraded', () => {
  const view = layout({ prerouting: [markMasquerade, draw(2)] }, 2)
  const { verdict } = programVerdict(view, flow, [backend(1)])
  if (verdict.kind !== 'balance') throw new Error(`expected balance, got ${verdict.kind}`)
  assert.is(verdict.backends.get(`${backend(0)}:8080`), true)
  assert.is(verdict.backends.get(`${backend(1)}:8080`), false)
})

test('a foreign mark comes through, and a mark that is left behind is an error', () => {
  const view = layout({ prerouting: [markMasquerade, draw(3)] }, 3)
  assert.is(programVerdict(view, flow, [], { initialMark: 0x80000001 }).verdict.kind, 'balance')
  const pool = layout({ prerouting: [loadPool.slice(0, -1)] }, 3)
  assert.throws(
    () => programVerdict(pool, flow, [], { initialMark: 5 }),
    /chain prerouting.*: the packet came with mark 0x5 and leaves with 0x9/,
  )
  const stray = layout({ prerouting: [markMasquerade] }, 3)
  assert.throws(() => programVerdict(stray, flow, []), /is masqueraded/)
})

test('rejection tiers: exact shares for 1,000 endpoints in a table of 1,024', () => {
  const rules = [...Array.from({ length: 8 }, () => draw(1024)), draw(512)]
  const shares = programShares(layout({ prerouting: rules }, 1000), flow, [])
  assert.is(shares.size, 1000)
  const hit = 1 - (24 / 1024) ** 8
  const expected = hit / 1000 + (1 - hit) / 512
  assert.ok(Math.abs((shares.get(`${backend(3)}:8080`) ?? 0) - expected) < 1e-12)
  assert.ok(Math.abs((shares.get(`${backend(900)}:8080`) ?? 0) - hit / 1000) < 1e-12)
})

test('10,000 endpoints are followed to the last', () => {
  const rules = [...Array.from({ length: 8 }, () => draw(16384)), draw(8192)]
  const { verdict } = programVerdict(layout({ prerouting: rules }, 10_000), flow, [])
  assert.is(verdict.kind === 'balance' && verdict.backends.size, 10_000)
})

test('a pool whose last slot is missing is an error, not a verdict', () => {
  const view = layout({ prerouting: [draw(3), [make.verdict(0)]] }, 2)
  assert.throws(() => programVerdict(view, flow, []), /chance decides between balance and drop/)
})

/** An affinity layout in which the slot's number is also the endpoint's. */
const remember: readonly Expression[] = [
  ...loadPool,
  make.random(2, word(5)),
  make.network(12, 4, word(4)),
  make.dynset(2, word(3), word(5), 30),
  make.dynset(1, word(3), word(5), 30),
  make.bitwise(word(5), word(4), all, host(0)),
  make.lookup('slots', word(3), word(0)),
  make.dnat(word(0), word(1)),
]

const recall: readonly Expression[] = [
  ...loadPool,
  make.network(12, 4, word(4)),
  make.lookup('affinity', word(3), word(5)),
  make.dynset(1, word(3), word(5), 30),
  make.bitwise(word(5), word(4), all, host(0)),
  make.lookup('slots', word(3), word(0)),
  make.dnat(word(0), word(1)),
]

test('affinity: a new client gets any backend and the timeout, a known one its own', () => {
  const view = layout({ prerouting: [recall, remember] }, 2)
  const fresh = programVerdict(view, flow, []).verdict
  assert.is(fresh.kind === 'balance' && fresh.affinitySeconds, 30)
  assert.is(fresh.kind === 'balance' && fresh.backends.size, 2)
  const [table] = view.tables
  if (table === undefined) throw new Error('the fixture has a table')
  const affinity = new Map([[host(9) + ip(flow.source), { value: host(1) }]])
  const known = {
    tables: [{ ...table, elements: new Map([...table.elements, ['affinity', affinity]]) }],
  }
  const again = programVerdict(known, flow, [], { dynamicElements: 'given' }).verdict
  assert.equal(again.kind === 'balance' && [...again.backends.keys()], [`${backend(1)}:8080`])
  const ignored = programVerdict(known, flow, []).verdict
  assert.is(ignored.kind === 'balance' && ignored.backends.size, 2)
})

test('dynset: update keeps the data that is there, delete and update replace it', () => {
  const rule = (middle: readonly Expression[], expected: number): readonly Expression[] => [
    make.value(word(0), host(9) + host(1)),
    make.value(word(2), host(7)),
    make.dynset(1, word(0), word(2), 1),
    make.value(word(2), host(8)),
    ...middle,
    make.dynset(1, word(0), word(2), 1),
    make.lookup('affinity', word(0), word(3)),
    make.equal(word(3), host(expected)),
    make.verdict(0),
  ]
  const dropped = (expressions: readonly Expression[]): boolean =>
    programVerdict(layout({ prerouting: [expressions] }, 1), flow, []).verdict.kind === 'drop'
  assert.ok(dropped(rule([], 7)))
  assert.ok(dropped(rule([make.dynset(2, word(0), word(2), 0)], 8)))
})

test('dynset is refused for sets that packets do not write, and without its data register', () => {
  const other: Expression = {
    name: 'dynset',
    data: { setName: 'hairpin', op: 1, sregKey: word(0) },
  }
  const values = make.value(word(0), host(9) + host(1))
  const run = (expression: Expression) =>
    programVerdict(layout({ prerouting: [[values, expression]] }, 1), flow, [])
  assert.throws(() => run(other), /packets cannot write to hairpin/)
  const noData: Expression = {
    name: 'dynset',
    data: { setName: 'affinity', op: 2, sregKey: word(0) },
  }
  assert.throws(() => run(noData), /register undefined does not exist/)
})

test.run()
