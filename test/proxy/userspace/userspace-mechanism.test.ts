import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resourceKey } from '../../../src/kube/resources.ts'
import type { Flow } from '../../../src/net/flow.ts'
import type { Protocol } from '../../../src/net/protocol.ts'
import { Planner } from '../../../src/proxy/plan/planner.ts'
import type { Plan } from '../../../src/proxy/port/mechanism.ts'
import { defaultRelayOptions, type RelayOptions } from '../../../src/proxy/relay/relay-options.ts'
import { compiledState, traceFlow } from '../../../src/proxy/userspace/trace-flow.ts'
import {
  openUserspaceMechanism,
  type UserspaceMechanism,
} from '../../../src/proxy/userspace/userspace-mechanism.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { needsRoot } from '../../support/needs-root.ts'
import { parseCluster, planContext } from '../../support/plan-fixture.ts'

const test = suite('proxy/userspace/userspace-mechanism')
const root = needsRoot(test)

const context = planContext()
const clusterText = `
  service web 10.96.0.10 fd00:10::10 http:80/TCP/30080 dns:53/UDP type=NodePort
  slice web-4 of web http:8080/TCP dns:53/UDP | 10.1.0.4@n1 | 10.1.1.7@n2
  service link 10.96.0.11 s:9/SCTP
  slice link-4 of link s:9/SCTP | 10.1.0.5@n1
`

function planOf(text: string): { readonly plan: Plan; readonly planner: Planner } {
  const planner = new Planner(context)
  const { services, slices } = parseCluster(text)
  for (const service of services) planner.setService(resourceKey(service), service)
  for (const slice of slices) planner.setSlice(resourceKey(slice), slice)
  planner.takeChanges()
  return { plan: { node: context.node, services: planner.services }, planner }
}

function flowTo(destination: string, destinationPort: number, protocol: Protocol): Flow {
  return {
    family: 4,
    protocol,
    source: '198.51.100.9',
    sourcePort: 40_000,
    destination,
    destinationPort,
    origin: 'received',
    inputInterface: 'eth0',
  }
}

async function inMechanism(
  body: (mechanism: UserspaceMechanism, warnings: readonly string[]) => Promise<void>,
  relay: Partial<RelayOptions> = {},
): Promise<void> {
  await inFreshNamespace(async () => {
    const warnings: string[] = []
    const mechanism = openUserspaceMechanism({
      relay: { ...defaultRelayOptions, ...relay },
      inform: () => {},
      warn: (text) => warnings.push(text),
    })
    try {
      await body(mechanism, warnings)
    } finally {
      await mechanism.cleanup()
      mechanism.close()
    }
  })
}

test('an SCTP frontend is refused, and the trace says why', () => {
  const { plan } = planOf(clusterText)
  const traced = traceFlow(compiledState(plan), flowTo('10.96.0.11', 9, 'SCTP'), ['192.168.0.1'])
  assert.equal(traced.verdict, { kind: 'reject' })
  assert.match(traced.limit ?? '', /TCP and UDP, not SCTP/)
})

test('an SCTP frontend without endpoints is refused like any other', () => {
  const { plan } = planOf('service link 10.96.0.11 s:9/SCTP')
  const traced = traceFlow(compiledState(plan), flowTo('10.96.0.11', 9, 'SCTP'), ['192.168.0.1'])
  assert.equal(traced.verdict, { kind: 'reject' })
  assert.is(traced.limit, undefined)
})

root('each SCTP frontend is warned about once', () =>
  inMechanism(async (mechanism, warnings) => {
    const { plan } = planOf(clusterText)
    await mechanism.synchronize(plan)
    await mechanism.synchronize(plan)
    assert.is(warnings.length, 1)
    assert.match(warnings[0] ?? '', /^ns\/link: 4\/SCTP\/10\.96\.0\.11:9 is refused: /)
  }),
)

root('endpoints change only in the process; a new frontend is written', () =>
  inMechanism(async (mechanism) => {
    const { plan, planner } = planOf(clusterText)
    assert.is((await mechanism.synchronize(plan)).transactions, 1)
    assert.equal(await mechanism.compare(plan), [])
    assert.is((await mechanism.synchronize(plan)).transactions, 0)
    const [slice] = parseCluster('slice web-4 of web http:8080/TCP | 10.1.1.9@n2').slices
    if (slice === undefined) throw new Error('no slice')
    planner.setSlice(resourceKey(slice), slice)
    // The UDP port loses its endpoints and is refused from now on: that is the table's business.
    assert.is((await mechanism.update(planner.takeChanges())).transactions, 1)
    const { verdict } = await mechanism.trace(flowTo('10.96.0.10', 80, 'TCP'), ['192.168.0.1'])
    const backends = verdict.kind === 'balance' ? [...verdict.backends.keys()] : verdict.kind
    assert.equal(backends, ['10.1.1.9:8080'])
    const [other] = parseCluster('slice web-4 of web http:8080/TCP | 10.1.1.8@n2').slices
    if (other === undefined) throw new Error('no slice')
    planner.setSlice(resourceKey(other), other)
    assert.is((await mechanism.update(planner.takeChanges())).transactions, 0)
  }),
)

root('where endpoints see clients, the answers have a way back, written once', () =>
  inMechanism(
    async (mechanism) => {
      const { plan } = planOf(clusterText)
      await mechanism.synchronize(plan)
      const nothing = { transactions: 0, operations: 0, bytes: 0 }
      assert.equal(await mechanism.synchronize(plan), nothing)
      assert.equal(await mechanism.compare(plan), [])
      const masqueraded = async (flow: Flow): Promise<readonly boolean[]> => {
        const { verdict } = await mechanism.trace(flow, ['192.168.0.1'])
        return verdict.kind === 'balance' ? [...verdict.backends.values()] : []
      }
      const flow = flowTo('10.96.0.10', 80, 'TCP')
      // An endpoint that asks itself is masqueraded, other pods are not, who is outside always is.
      assert.equal(await masqueraded({ ...flow, source: '10.1.0.4' }), [true, false])
      assert.equal(await masqueraded(flow), [true, true])
    },
    { source: 'client' },
  ),
)

root('connections in the names of clients go on while another mode takes over', () =>
  inMechanism(
    async (mechanism) => {
      const { plan } = planOf(clusterText)
      await mechanism.synchronize(plan)
      await mechanism.drain(AbortSignal.abort())
      const listed = () => execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' })
      assert.match(listed(), 'socket transparent 1 meta mark set')
      assert.not.match(listed(), 'dnat')
      assert.not.match(listed(), /map|set [a-z]+ {/)
      await mechanism.cleanup()
      assert.is(listed(), '')
    },
    { source: 'client' },
  ),
)

root('nft lists the table by names, and it goes without a trace', () =>
  inMechanism(async (mechanism) => {
    const { plan } = planOf(clusterText)
    await mechanism.synchronize(plan)
    const text = execFileSync('nft', ['list', 'table', 'ip', 'portolan-userspace'], {
      encoding: 'utf8',
    })
    assert.match(text, '10.96.0.10 . tcp . 80 comment "ns/web:http" : goto relay-outside')
    await mechanism.cleanup()
    assert.is(execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }), '')
  }),
)

test.run()
