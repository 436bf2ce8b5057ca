import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Flow } from '../../../src/net/flow.ts'
import { compiledProgram } from '../../../src/proxy/nftables/program.ts'
import type { ServicePlan } from '../../../src/proxy/plan/plan.ts'
import { programVerdict } from '../../../src/proxy/simulate/program-verdict.ts'
import type { ProgramView } from '../../../src/proxy/simulate/program-view.ts'
import { planContext } from '../../support/plan-fixture.ts'

const address = '10.96.0.1'
const key = 'ns/web:http/TCP/cluster/4'
const pool = {
  key,
  family: 4,
  protocol: 'TCP',
  backends: [{ address: '10.2.0.1', port: 8080, isLocal: false }],
  affinitySeconds: 0,
} as const
const action = { kind: 'balance', pool, masquerade: 'hairpin' } as const
const web: ServicePlan = {
  service: 'ns/web',
  frontends: [
    {
      service: 'ns/web',
      portName: 'http',
      kind: 'cluster-ip',
      family: 4,
      address,
      protocol: 'TCP',
      port: 80,
      sourceRanges: undefined,
      actions: { pod: action, node: action, outside: action },
    },
  ],
  pools: [pool],
  health: undefined,
}

const program = compiledProgram(planContext().node, [web])

function verdictOf(view: ProgramView, destinationPort: number): string {
  const flow: Flow = {
    family: 4,
    protocol: 'TCP',
    source: '10.1.0.200',
    sourcePort: 40_000,
    destination: address,
    destinationPort,
    origin: 'received',
    inputInterface: 'pod1',
  }
  return programVerdict(view, flow, []).verdict.kind
}

/** The table as packets meet it that are in its rules when it is deleted: the elements of maps are gone, those
 *  of sets are not. */
function beingDeleted({ tables }: ProgramView): ProgramView {
  return {
    tables: tables.map((table) => {
      const maps = table.sets.filter(({ data }) => data !== undefined).map(({ name }) => name)
      const left = [...table.elements].filter(([name]) => !maps.includes(name))
      return { ...table, elements: new Map(left) }
    }),
  }
}

test('a table that is being deleted refuses nothing: another mode may serve the flow', () => {
  assert.is(verdictOf(program, 80), 'balance')
  assert.is(verdictOf(program, 81), 'reject')
  const deleted = beingDeleted(program)
  assert.is(verdictOf(deleted, 80), 'untouched')
  assert.is(verdictOf(deleted, 81), 'untouched')
})

test.run()
