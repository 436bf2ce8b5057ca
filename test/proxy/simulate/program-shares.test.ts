import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Family } from '../../../src/net/address.ts'
import type { Flow } from '../../../src/net/flow.ts'
import { compiledProgram } from '../../../src/proxy/nftables/program.ts'
import type { Backend, Pool, ServicePlan } from '../../../src/proxy/plan/plan.ts'
import { formatBackend } from '../../../src/proxy/port/verdict.ts'
import { programShares, programVerdict } from '../../../src/proxy/simulate/program-verdict.ts'
import { planContext } from '../../support/plan-fixture.ts'

const cluster = { 4: '10.96.0.1', 6: 'fd00:10:96::1' } as const
const client = { 4: '10.1.0.200', 6: 'fd00:1::200' } as const

function flowOf(family: Family): Flow {
  return {
    family,
    protocol: 'TCP',
    source: client[family],
    sourcePort: 40_000,
    destination: cluster[family],
    destinationPort: 80,
    origin: 'received',
    inputInterface: 'pod1',
  }
}

/** A service with one cluster address and so many backends. */
function servicePlan(family: Family, count: number, affinitySeconds: number): ServicePlan {
  const backends = Array.from({ length: count }, (_, index): Backend => {
    const address =
      family === 4 ? `10.2.${index >> 8}.${index & 255}` : `fd00:2::${(index + 1).toString(16)}`
    return { address, port: 8080, isLocal: false }
  })
  const [first, ...others] = backends
  if (first === undefined) throw new Error('a pool has a backend')
  const pool: Pool = {
    key: `ns/web:http/TCP/cluster/${family}`,
    family,
    protocol: 'TCP',
    backends: [first, ...others],
    affinitySeconds,
  }
  const action = { kind: 'balance', pool, masquerade: 'hairpin' } as const
  return {
    service: 'ns/web',
    frontends: [
      {
        service: 'ns/web',
        portName: 'http',
        kind: 'cluster-ip',
        family,
        address: cluster[family],
        protocol: 'TCP',
        port: 80,
        sourceRanges: undefined,
        actions: { pod: action, node: action, outside: action },
      },
    ],
    pools: [pool],
    health: undefined,
  }
}

/** The largest relative deviation of a backend's share from an equal one. */
function imbalance(family: Family, count: number, affinitySeconds: number): number {
  const plan = servicePlan(family, count, affinitySeconds)
  const shares = programShares(compiledProgram(planContext().node, [plan]), flowOf(family), [])
  assert.is(shares.size, count, `${count} endpoints`)
  const total = [...shares.values()].reduce((sum, share) => sum + share, 0)
  assert.ok(Math.abs(total - 1) < 1e-9)
  return Math.max(...[...shares.values()].map((share) => Math.abs(share * count - 1)))
}

for (const affinitySeconds of [0, 10_800]) {
  const kind = affinitySeconds === 0 ? 'plain' : 'sticky'

  test(`${kind} pools of 1 to 64 endpoints are balanced within 1 %`, () => {
    for (let count = 1; count <= 64; count++) {
      const family = count % 2 === 0 ? 4 : 6
      const found = imbalance(family, count, affinitySeconds)
      assert.ok(found <= 0.01, `${count} endpoints: ${found}`)
    }
  })

  test(`${kind} pools of up to 10,000 endpoints are balanced within 5 %`, () => {
    for (const count of [65, 129, 1_000, 1_025, 10_000]) {
      const found = imbalance(4, count, affinitySeconds)
      assert.ok(found <= 0.05, `${count} endpoints: ${found}`)
    }
  })
}

test('the compiled program keeps a foreign mark, whatever is drawn', () => {
  const plan = servicePlan(4, 5, 0)
  const program = compiledProgram(planContext({ masqueradeAll: true }).node, [plan])
  const { verdict } = programVerdict(program, flowOf(4), [], { initialMark: 0x8000_0103 })
  const backends = plan.pools
    .flatMap((pool) => pool.backends)
    .map(({ address, port }) => formatBackend(address, port))
  assert.equal(verdict.kind === 'balance' && [...verdict.backends.keys()].sort(), backends)
})

test.run()
