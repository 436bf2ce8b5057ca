import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resourceKey } from '../../../src/kube/resources.ts'
import { familyOf } from '../../../src/net/address.ts'
import type { Flow } from '../../../src/net/flow.ts'
import type { Protocol } from '../../../src/net/protocol.ts'
import type { NodePlan } from '../../../src/proxy/plan/plan.ts'
import { Planner } from '../../../src/proxy/plan/planner.ts'
import type { Plan } from '../../../src/proxy/port/mechanism.ts'
import type { Verdict } from '../../../src/proxy/port/verdict.ts'
import { indexPlan, planVerdict } from '../../../src/proxy/simulate/plan-verdict.ts'
import { parseCluster, planContext, prefix } from '../../support/plan-fixture.ts'

const test = suite('proxy/simulate/planVerdict')

const localAddresses = ['192.168.0.1', '172.31.7.1', '10.1.0.1', 'fd00:50::1']
const interfaceDetector = (match: 'exact' | 'prefix') =>
  ({ podDetector: { kind: 'interface', name: 'veth', match } }) as const

const web = `
  service web 10.96.0.10 fd00:10::a http:80/TCP/30080 type=LoadBalancer lb=198.18.0.1 ext=192.168.0.1 etp=Local from=203.0.113.0/24,192.168.0.0/24 affinity=60
  slice four of web http:8080/TCP | 10.1.0.4@n1 | 10.1.1.7@n2
  slice six of web http:8080/TCP | fd00:1::4@n1`
const all = 'balance 10.1.0.4:8080 10.1.1.7:8080 affinity=60'
const allMasqueraded = 'balance 10.1.0.4:8080! 10.1.1.7:8080! affinity=60'
const local = 'balance 10.1.0.4:8080 affinity=60'

/** Flow and expected verdict: `SOURCE[%INTERFACE|%local] > DESTINATION PORT/PROTOCOL`. */
type Rows = Readonly<Record<string, string>>

const webRows: Rows = {
  // The class of the source.
  '10.1.0.9 > 10.96.0.10 80/TCP': all,
  '10.1.0.1%local > 10.96.0.10 80/TCP': all,
  '192.168.0.1%local > 10.96.0.10 80/TCP': allMasqueraded,
  '8.8.8.8%local > 10.96.0.10 80/TCP': allMasqueraded,
  '8.8.8.8 > 10.96.0.10 80/TCP': allMasqueraded,
  '8.8.8.8 > 172.31.7.1 30080/TCP': local,
  '172.31.7.1 > 172.31.7.1 30080/TCP': allMasqueraded,
  '127.0.0.1 > 172.31.7.1 30080/TCP': allMasqueraded,
  '10.1.0.9 > 172.31.7.1 30080/TCP': all,
  // Hairpin: only a backend of this node that reaches itself.
  '10.1.0.4 > 10.96.0.10 80/TCP': 'balance 10.1.0.4:8080! 10.1.1.7:8080 affinity=60',
  '10.1.1.7 > 10.96.0.10 80/TCP': all,
  // Source ranges bind the load balancer's address, and admit it because they hold the node's.
  '203.0.113.9 > 198.18.0.1 80/TCP': local,
  '203.0.114.9 > 198.18.0.1 80/TCP': 'drop',
  '10.1.0.9 > 198.18.0.1 80/TCP': 'drop',
  '192.168.0.1%local > 198.18.0.1 80/TCP': allMasqueraded,
  '198.18.0.1%local > 198.18.0.1 80/TCP': allMasqueraded,
  '203.0.114.9 > 192.168.0.1 80/TCP': local,
  // Node ports: local addresses but loopback, this family, this protocol.
  '8.8.8.8 > 192.168.0.1 30080/TCP': local,
  '8.8.8.8 > 192.168.0.2 30080/TCP': 'untouched',
  '127.0.0.1%local > 127.0.0.1 30080/TCP': 'untouched',
  '::1%local > ::1 30080/TCP': 'untouched',
  'fd00:2::9 > fd00:50::1 30080/TCP': 'balance [fd00:1::4]:8080 affinity=60',
  '8.8.8.8 > 192.168.0.1 30080/UDP': 'untouched',
  // Cluster addresses without such a port; other ports of other addresses are nobody's.
  '10.1.0.9 > 10.96.0.10 81/TCP': 'reject',
  '10.1.0.9 > 10.96.0.10 80/SCTP': 'reject',
  'fd00:1::9 > fd00:10::a 80/UDP': 'reject',
  '8.8.8.8 > 198.18.0.1 81/TCP': 'untouched',
  // Service ranges.
  '10.1.0.9 > 10.96.0.11 80/TCP': 'drop',
  '10.1.0.9 > 10.97.0.11 80/TCP': 'untouched',
}

test('verdicts of one service with everything', () => {
  check(web, { serviceRanges: [prefix('10.96.0.0/16')] }, webRows)
})

test('a pod is told by the interface it comes in through', () => {
  const rows: Rows = {
    '8.8.8.8%veth7 > 10.96.0.10 80/TCP': all,
    '10.1.0.9%eth0 > 10.96.0.10 80/TCP': allMasqueraded,
    '10.1.0.9%local > 10.96.0.10 80/TCP': allMasqueraded,
  }
  check(web, interfaceDetector('prefix'), rows)
  check(web, interfaceDetector('exact'), {
    '8.8.8.8%veth > 10.96.0.10 80/TCP': all,
    '8.8.8.8%veth7 > 10.96.0.10 80/TCP': allMasqueraded,
  })
})

test('given node-port addresses bind node ports', () => {
  check(
    web,
    { nodePortAddresses: ['192.168.0.1'] },
    {
      '8.8.8.8 > 192.168.0.1 30080/TCP': local,
      '8.8.8.8 > 172.31.7.1 30080/TCP': 'untouched',
    },
  )
})

test('a specific address comes before a node port', () => {
  const cluster = `
    service a 10.96.0.1 p:80/TCP/30080
    service b 10.96.0.2 p:30080/TCP ext=192.168.0.1
    slice sa of a p:1/TCP | 10.1.1.1@n2
    slice sb of b p:2/TCP | 10.1.1.2@n2`
  check(
    cluster,
    {},
    {
      '8.8.8.8 > 192.168.0.1 30080/TCP': 'balance 10.1.1.2:2!',
      '8.8.8.8 > 172.31.7.1 30080/TCP': 'balance 10.1.1.1:1!',
    },
  )
})

test('without endpoints', () => {
  const cluster = `
    service none 10.96.0.1 p:80/TCP/30080
    service away 10.96.0.2 p:80/TCP/30081 etp=Local itp=Local
    slice s of away p:1/TCP | 10.1.1.1@n2`
  check(
    cluster,
    {},
    {
      '10.1.0.9 > 10.96.0.1 80/TCP': 'reject',
      '8.8.8.8 > 192.168.0.1 30080/TCP': 'reject',
      '10.1.0.9 > 10.96.0.2 80/TCP': 'drop',
      '8.8.8.8 > 192.168.0.1 30081/TCP': 'drop',
      '10.1.0.9 > 192.168.0.1 30081/TCP': 'balance 10.1.1.1:1',
    },
  )
})

test('hairpin needs one service to know the node of the backend, not this one', () => {
  const cluster = `
    service a 10.96.0.1 p:80/TCP
    service b 10.96.0.2 p:80/TCP
    slice sa of a p:1/TCP | 10.1.0.4
    slice sb of b p:1/TCP | 10.1.0.4@n1`
  check(cluster, {}, { '10.1.0.4 > 10.96.0.1 80/TCP': 'balance 10.1.0.4:1!' })
})

test('the path names frontend, source and pool', () => {
  const { path } = planVerdict(makePlan(web, {}), parseFlow('8.8.8.8 > 192.168.0.1 30080/TCP'), [
    '192.168.0.1',
  ])
  assert.equal(path, [
    'frontend 4/TCP/*:30080 (node-port of ns/web:http)',
    'source 8.8.8.8 is outside',
    'pool ns/web:http/TCP/local/4 (ready endpoints)',
  ])
})

/** Each row with the plan and with its index, which must agree. */
function check(cluster: string, node: Partial<NodePlan>, rows: Rows): void {
  const plan = makePlan(cluster, node)
  const index = indexPlan(plan)
  for (const [flow, expected] of Object.entries(rows)) {
    const { verdict, path } = planVerdict(index, parseFlow(flow), localAddresses)
    assert.is(formatVerdict(verdict), expected, `${flow} (${path.join(', ')})`)
    assert.equal(planVerdict(plan, parseFlow(flow), localAddresses), { verdict, path })
  }
}

function makePlan(cluster: string, node: Partial<NodePlan>): Plan {
  const context = planContext(node)
  const planner = new Planner(context)
  const { services, slices } = parseCluster(cluster)
  for (const slice of slices) planner.setSlice(resourceKey(slice), slice)
  for (const service of services) planner.setService(resourceKey(service), service)
  planner.takeChanges()
  return { node: context.node, services: planner.services }
}

function parseFlow(text: string): Flow {
  const [from = '', , destination = '', target = ''] = text.split(' ')
  const [source = '', way = 'eth0'] = from.split('%')
  const [port = '', protocol = ''] = target.split('/')
  const flow = {
    family: familyOf(destination),
    protocol: protocol as Protocol,
    source,
    sourcePort: 40_000,
    destination,
    destinationPort: Number(port),
  }
  if (way === 'local') return { ...flow, origin: 'local' }
  return { ...flow, origin: 'received', inputInterface: way }
}

function formatVerdict(verdict: Verdict): string {
  if (verdict.kind !== 'balance') return verdict.kind
  const backends = [...verdict.backends].map(([name, masquerade]) => name + (masquerade ? '!' : ''))
  const affinity = verdict.affinitySeconds === 0 ? '' : ` affinity=${verdict.affinitySeconds}`
  return `balance ${backends.join(' ')}${affinity}`
}

test.run()
