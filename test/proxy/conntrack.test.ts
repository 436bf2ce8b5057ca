import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resourceKey } from '../../src/kube/resources.ts'
import { ConntrackConnection } from '../../src/netlink/conntrack.ts'
import type { ConntrackFlow, ConntrackTuple } from '../../src/netlink/conntrack-flow.ts'
import { cleanConntrack, staleFlows } from '../../src/proxy/conntrack.ts'
import type { Frontend, ServicePlan } from '../../src/proxy/plan/plan.ts'
import { Planner } from '../../src/proxy/plan/planner.ts'
import { inFreshNamespace } from '../support/fresh-namespace.ts'
import { needsRoot } from '../support/needs-root.ts'
import { parseCluster, planContext } from '../support/plan-fixture.ts'

const test = suite('proxy/conntrack')
const anyLocal = { nodePortAddresses: 'any-local' } as const

/** A UDP frontend of endpoints 10.1.0.LAST that serve. */
function frontend(lasts: readonly number[], changed: Partial<Frontend> = {}): Frontend {
  const reject = { kind: 'reject' } as const
  return {
    service: 'kube-system/dns',
    portName: 'dns',
    kind: 'cluster-ip',
    family: 4,
    address: '10.96.0.10',
    protocol: 'UDP',
    port: 53,
    sourceRanges: undefined,
    actions: { pod: reject, node: reject, outside: reject },
    servingAddresses: lasts.map((last) => `10.1.0.${last}`),
    ...changed,
  }
}

function plan(...frontends: Frontend[]): ServicePlan {
  return { service: 'kube-system/dns', frontends, pools: [], health: undefined }
}

function stale(before: ServicePlan | undefined, after: ServicePlan | undefined) {
  return staleFlows([{ service: 'kube-system/dns', before, after }], anyLocal)
}

test('a frontend that lost an endpoint is stale, with those that serve now', () => {
  const [found, ...others] = stale(plan(frontend([1, 2])), plan(frontend([2])))
  assert.equal(found, { family: 4, addresses: ['10.96.0.10'], port: 53, serving: ['10.1.0.2'] })
  assert.equal(others, [])
})

test('a frontend that has endpoints for the first time is stale', () => {
  assert.is(stale(undefined, plan(frontend([1]))).length, 1)
  assert.is(stale(plan(frontend([])), plan(frontend([1]))).length, 1)
})

test('nothing else is stale', () => {
  const one = plan(frontend([1]))
  assert.equal(stale(one, one), [], 'unchanged')
  assert.equal(stale(one, plan(frontend([1, 2]))), [], 'an endpoint was added')
  assert.equal(stale(one, plan(frontend([]))), [], 'no endpoint is left')
  assert.equal(stale(one, undefined), [], 'the service is gone')
})

test('only endpoints that do not serve any more cost flows their end', () => {
  const planner = new Planner(planContext())
  const changesAfter = (text: string) => {
    const { services, slices } = parseCluster(text)
    for (const service of services) planner.setService(resourceKey(service), service)
    for (const slice of slices) planner.setSlice(resourceKey(slice), slice)
    return staleFlows(planner.takeChanges(), anyLocal)
  }
  const service = 'service dns 10.96.0.10 dns:53/UDP web:53/TCP'
  const slice = 'slice dns-1 of dns dns:53/UDP web:53/TCP'
  const [first, ...others] = changesAfter(`${service}
    ${slice} | 10.1.0.1@n1 zones=a | 10.1.0.2@n2 zones=b`)
  assert.equal(first?.serving, ['10.1.0.1', '10.1.0.2'], 'both zones count')
  assert.equal(others, [], 'TCP ends by itself')
  const ending = changesAfter(`${slice} | 10.1.0.1@n1 terminating | 10.1.0.2@n2`)
  assert.equal(ending, [], 'an endpoint that terminates still serves')
  const [gone] = changesAfter(`${slice} | 10.1.0.2@n2`)
  assert.equal(gone?.serving, ['10.1.0.2'])
})

test('node ports are stale on any address, or on the given ones of their family', () => {
  const change = {
    service: 'kube-system/dns',
    before: undefined,
    after: plan(frontend([1], { address: undefined, port: 30053, kind: 'node-port' })),
  }
  assert.is(staleFlows([change], anyLocal)[0]?.addresses, undefined)
  const node = { nodePortAddresses: ['192.168.0.1', 'fd00::1'] }
  assert.equal(staleFlows([change], node)[0]?.addresses, ['192.168.0.1'])
})

test('nothing stale: the kernel is not asked', () => {
  const connection = {
    forEachFlow: () => assert.unreachable(),
    deleteFlows: () => assert.unreachable(),
  }
  assert.is(cleanConntrack(connection as never, []), 0)
})

test('several frontends are cleaned with one dump for each family', () => {
  const asked: unknown[] = []
  let doomed: readonly ConntrackFlow[] = []
  const flows = [
    flow('10.96.0.10', 53, 1),
    flow('10.96.0.10', 53, 2),
    flow('192.168.0.7', 30053, 9),
  ]
  const connection = {
    forEachFlow(filter: unknown, visit: (flow: ConntrackFlow) => void) {
      asked.push(filter)
      flows.forEach(visit)
    },
    deleteFlows(list: readonly ConntrackFlow[]) {
      doomed = list
      return list.length
    },
  }
  const after = plan(
    frontend([2]),
    frontend([2], { address: undefined, port: 30053, kind: 'node-port' }),
  )
  assert.is(cleanConntrack(connection, stale(undefined, after)), 2)
  assert.equal(asked, [{ family: 4, original: { protocol: 17 } }])
  assert.equal(doomed, [flows[0], flows[2]])
})

needsRoot(test)('flows in the kernel go or stay as decided', async () => {
  await inFreshNamespace(() => {
    track('udp', '10.96.0.10', 53, '10.1.0.1', 53)
    track('udp', '10.96.0.10', 53, '10.1.0.2', 53)
    track('udp', '10.96.0.11', 53, '10.1.0.1', 53)
    track('udp', '10.96.0.10', 54, '10.1.0.1', 53)
    track('tcp', '10.96.0.10', 53, '10.1.0.1', 53)
    const connection = ConntrackConnection.open()
    const found = stale(plan(frontend([1, 2])), plan(frontend([2])))
    assert.is(cleanConntrack(connection, found), 1)
    assert.is(cleanConntrack(connection, found), 0)
    assert.is(connection.listFlows({ family: 4 }).length, 4)
    connection.close()
  })
})

let clientPort = 4000

/** Puts a flow from 10.1.0.9 into the kernel's table. */
function track(protocol: string, to: string, port: number, backend: string, at: number): void {
  const text =
    `-I -p ${protocol} -s 10.1.0.9 -d ${to} --sport ${++clientPort} --dport ${port} ` +
    `-r ${backend} -q 10.1.0.9 --reply-port-src ${at} --reply-port-dst ${clientPort} --timeout 99` +
    (protocol === 'tcp' ? ' --state ESTABLISHED' : '')
  execFileSync('conntrack', text.split(' '), { stdio: 'ignore' })
}

function flow(destination: string, destinationPort: number, backend: number): ConntrackFlow {
  const bytes = (text: string) => String.fromCharCode(...text.split('.').map(Number))
  const client = { address: bytes('10.1.0.9'), port: 4000 }
  const original: ConntrackTuple = {
    source: client.address,
    destination: bytes(destination),
    protocol: 17,
    sourcePort: client.port,
    destinationPort,
  }
  const reply = {
    source: bytes(`10.1.0.${backend}`),
    destination: client.address,
    protocol: 17,
    sourcePort: 53,
    destinationPort: client.port,
  }
  const rest = { status: 0, mark: 0, zone: 0, id: 1, timeoutSeconds: 30, tcpState: undefined }
  return { family: 4, original, reply, ...rest }
}

test.run()
