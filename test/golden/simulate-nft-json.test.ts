import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DecodeError } from '../../src/net/decode-error.ts'
import type { Flow } from '../../src/net/flow.ts'
import { simulateNftJson } from '../../src/proxy/simulate/simulate-nft-json.ts'
import { formatVerdict } from './compare-verdicts.ts'
import {
  type ChainText,
  destinationKey,
  markedMasquerade,
  markStatement,
  nftJsonRuleset,
} from './nft-json-rules.ts'

const test = suite('golden/simulate-nft-json')

const node = ['192.0.2.1']
const received: Flow = {
  family: 4,
  protocol: 'TCP',
  source: '10.1.0.9',
  sourcePort: 40_000,
  destination: '10.96.0.10',
  destinationPort: 80,
  origin: 'received',
  inputInterface: 'veth9',
}
const local: Flow = { ...received, source: '192.0.2.1', origin: 'local' }

const nat = (hook: string): ChainText['base'] => ({
  type: 'nat',
  hook,
  prio: hook === 'postrouting' ? 100 : -100,
  policy: 'accept',
})
const filter = (hook: string, policy: 'accept' | 'drop' = 'accept'): ChainText['base'] => ({
  type: 'filter',
  hook,
  prio: 0,
  policy,
})
const saddr = { payload: { protocol: 'ip', field: 'saddr' } }
const daddr = { payload: { protocol: 'ip', field: 'daddr' } }
const match = (left: unknown, right: unknown, op = '==') => ({ match: { op, left, right } })
const dnat = (addr: string, port = 8080) => ({ dnat: { addr, port } })
const numgen = (mod: number) => ({ numgen: { mode: 'random', mod, offset: 0 } })

function check(
  chains: Record<string, ChainText>,
  flow: Flow,
  expected: string,
  objects: readonly Record<string, unknown>[] = [],
): void {
  const simulation = simulateNftJson(nftJsonRuleset({ chains, objects }))
  assert.is(formatVerdict(simulation.verdict(flow, node).verdict), expected)
}

const balanced = {
  dnat: {
    family: 'ip',
    addr: {
      map: {
        key: numgen(2),
        data: {
          set: [
            [0, { concat: ['10.1.0.4', 8080] }],
            [1, { concat: ['10.1.0.9', 8080] }],
          ],
        },
      },
    },
  },
}
const services = {
  map: {
    family: 'ip',
    table: 't',
    name: 'services',
    type: ['ipv4_addr', 'inet_proto', 'inet_service'],
    map: 'verdict',
    elem: [[{ concat: ['10.96.0.10', 'tcp', 80] }, { goto: { target: 'web' } }]],
  },
}

test('a verdict map and a draw: the union of the backends', () => {
  const chains = {
    pre: {
      base: nat('prerouting'),
      rules: [[{ vmap: { key: destinationKey, data: '@services' } }]],
    },
    web: { rules: [[balanced]] },
  }
  check(chains, received, 'balance 10.1.0.4:8080 10.1.0.9:8080', [services])
  check(chains, { ...received, destinationPort: 81 }, 'untouched', [services])
  check(chains, { ...received, protocol: 'UDP' }, 'untouched', [services])
  check(chains, local, 'untouched', [services])
})

test('the mark set before DNAT masquerades behind it', () => {
  const chains = {
    pre: { base: nat('prerouting'), rules: [[markStatement], [balanced]] },
    post: markedMasquerade,
  }
  check(chains, received, 'balance 10.1.0.4:8080+masquerade 10.1.0.9:8080+masquerade')
})

test('a hairpin set masquerades one backend only', () => {
  const hairpin = {
    set: {
      family: 'ip',
      table: 't',
      name: 'hairpin',
      type: ['ipv4_addr', 'ipv4_addr'],
      elem: [{ concat: ['10.1.0.9', '10.1.0.9'] }],
    },
  }
  const chains = {
    pre: { base: nat('prerouting'), rules: [[balanced]] },
    post: {
      base: nat('postrouting'),
      rules: [
        [
          match({ ct: { key: 'status' } }, 'dnat', 'in'),
          match({ concat: [saddr, daddr] }, '@hairpin'),
          { masquerade: { flags: 'fully-random' } },
        ],
      ],
    },
  }
  check(chains, received, 'balance 10.1.0.4:8080 10.1.0.9:8080+masquerade', [hairpin])
})

test('jump comes back, goto and return do not go on', () => {
  const base = nat('prerouting')
  const marks = { rules: [[{ return: null }], [{ drop: null }]] }
  const jump = {
    pre: { base, rules: [[{ jump: { target: 'marks' } }], [dnat('10.1.0.4')]] },
    marks,
  }
  check(jump, received, 'balance 10.1.0.4:8080')
  const goto = {
    pre: { base, rules: [[{ goto: { target: 'marks' } }], [dnat('10.1.0.4')]] },
    marks,
  }
  check(goto, received, 'untouched')
})

test('the way through the hooks depends on the destination after DNAT', () => {
  const reached = (hook: string): Record<string, ChainText> => ({
    first: { base: nat('prerouting'), rules: [[match(daddr, '10.96.0.10'), dnat('10.1.0.4')]] },
    out: { base: nat('output'), rules: [[match(daddr, '10.96.0.10'), dnat('192.0.2.1')]] },
    here: { base: filter(hook), rules: [[{ reject: { type: 'icmp', expr: 'port-unreachable' } }]] },
  })
  check(reached('forward'), received, 'reject')
  check(reached('input'), received, 'balance 10.1.0.4:8080')
  check(reached('input'), { ...received, destination: '192.0.2.1' }, 'reject')
  check(reached('forward'), { ...received, destination: '192.0.2.1' }, 'untouched')
  check(reached('output'), local, 'reject')
  // Redirected to the node itself, a local flow leaves through lo and is received again.
  check(reached('input'), local, 'reject')
})

test('base chains run by priority, and a policy of drop decides at their end', () => {
  const chains = {
    late: { base: nat('prerouting'), rules: [[dnat('10.1.0.4')]] },
    early: {
      base: {
        ...filter('prerouting'),
        type: 'filter' as const,
        hook: 'prerouting',
        prio: -110,
        policy: 'accept' as const,
      },
      rules: [[match(daddr, '10.96.0.10'), { drop: null }]],
    },
  }
  check(chains, received, 'drop')
  check({ pre: { base: filter('prerouting', 'drop'), rules: [] } }, received, 'drop')
})

test('affinity: the set counts as empty, its timeout is reported', () => {
  const affinity = {
    set: {
      family: 'ip',
      table: 't',
      name: 'a',
      type: 'ipv4_addr',
      flags: ['timeout'],
      timeout: 60,
      elem: [{ elem: { val: '10.1.0.9', expires: 30 } }],
    },
  }
  const chains = {
    pre: {
      base: nat('prerouting'),
      rules: [
        [match(saddr, '@a'), { drop: null }],
        [{ set: { op: 'update', elem: saddr, set: '@a' } }, dnat('10.1.0.4')],
      ],
    },
  }
  check(chains, received, 'balance 10.1.0.4:8080 affinity 60s', [affinity])
})

test('matches: prefixes, anonymous sets, interface names, fib, state', () => {
  const when = (...statements: unknown[]): Record<string, ChainText> => ({
    pre: { base: filter('prerouting'), rules: [[...statements, { drop: null }]] },
    out: { base: filter('output'), rules: [[...statements, { drop: null }]] },
  })
  const prefix = { prefix: { addr: '10.1.0.0', len: 16 } }
  check(when(match(saddr, prefix)), received, 'drop')
  check(when(match(saddr, prefix)), local, 'untouched')
  check(when(match(saddr, { set: [prefix, '192.0.2.1'] }, '!=')), local, 'untouched')
  check(when(match({ meta: { key: 'iifname' } }, 'veth*')), received, 'drop')
  check(when(match({ meta: { key: 'iifname' } }, 'veth*', '!=')), local, 'drop')
  check(when(match({ meta: { key: 'iifname' } }, 'veth')), received, 'untouched')
  const fib = { fib: { result: 'type', flags: ['saddr'] } }
  check(when(match(fib, 'local')), local, 'drop')
  check(when(match(fib, 'local')), received, 'untouched')
  check(when(match({ ct: { key: 'state' } }, 'new', 'in')), received, 'drop')
  check(
    when(match({ ct: { key: 'state' } }, ['established', 'related'], 'in')),
    received,
    'untouched',
  )
})

test('branches that do not agree are no verdict of a plan', () => {
  const chains = {
    pre: {
      base: filter('prerouting'),
      rules: [[{ vmap: { key: numgen(2), data: { set: [[0, { drop: null }]] } } }]],
    },
  }
  check(chains, received, 'balance drop untouched')
})

test('the path names the chains that decided, outermost first', () => {
  const chains = {
    pre: {
      base: nat('prerouting'),
      rules: [[{ vmap: { key: destinationKey, data: '@services' } }]],
    },
    web: { rules: [[balanced]] },
    post: markedMasquerade,
  }
  const simulation = simulateNftJson(nftJsonRuleset({ chains, objects: [services] }))
  assert.equal(simulation.verdict(received, node).path, ['pre', 'web'])
})

test('what is not understood is an error that names it', () => {
  const faults: readonly (readonly [unknown, RegExp])[] = [
    [{ tproxy: { port: 1 } }, /expr\[0\]: got \{"tproxy"/],
    [match({ meta: { key: 'skuid' } }, 0), /skuid/],
    [match({ ct: { key: 'zone' } }, 0), /zone/],
    [match(saddr, '@missing'), /@missing/],
    [{ jump: { target: 'nowhere' } }, /nowhere/],
    [{ ...match(saddr, '10.1.0.1'), extra: 1 }, /one key/],
  ]
  for (const [statement, message] of faults) {
    const chains = { pre: { base: filter('prerouting'), rules: [[statement]] } }
    try {
      simulateNftJson(nftJsonRuleset({ chains }), 'x.json')
      assert.unreachable(`accepted ${JSON.stringify(statement)}`)
    } catch (error) {
      assert.instance(error, DecodeError)
      assert.match((error as Error).message, message)
    }
  }
})

test.run()
