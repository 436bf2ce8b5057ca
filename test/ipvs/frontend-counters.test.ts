import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compiledState } from '../../src/ipvs/compiled-state.ts'
import { frontendCounters } from '../../src/ipvs/frontend-counters.ts'
import type { ListedServer } from '../../src/ipvs/ipvs-connection.ts'
import { formatServerKey, type VirtualServerKey } from '../../src/ipvs/virtual-server.ts'
import { resourceKey } from '../../src/kube/resources.ts'
import { Planner } from '../../src/proxy/plan/planner.ts'
import { parseCluster, planContext } from '../support/plan-fixture.ts'

const test = suite('ipvs/frontend-counters')

const context = planContext({ nodePortAddresses: ['192.168.0.1', '192.168.0.2', 'fd00:50::1'] })

/** The state of a kernel that has what a cluster asks for. */
function stateOf(text: string): ReturnType<typeof compiledState> {
  const planner = new Planner(context)
  const { services, slices } = parseCluster(text)
  for (const service of services) planner.setService(resourceKey(service), service)
  for (const slice of slices) planner.setSlice(resourceKey(slice), slice)
  planner.takeChanges()
  const state = compiledState({ node: context.node, services: planner.services }, [])
  const marks = [...state.servers.values()].flatMap(({ server: { key } }) =>
    key.kind === 'mark' ? [key.mark] : [],
  )
  return { ...state, marks: new Set(marks) }
}

/** What the kernel would list for a virtual server that has counted a little. */
function counted(key: VirtualServerKey, connections: bigint): ListedServer {
  return {
    server: { key, scheduler: 'rr', flags: 0, timeoutSeconds: 0 },
    statistics: {
      connections,
      inboundPackets: connections * 10n,
      outboundPackets: 1n,
      inboundBytes: connections * 1_000n,
      outboundBytes: 1n,
    },
  }
}

function format(counters: ReturnType<typeof frontendCounters>): string[] {
  return counters
    .map(({ protocol, address, port, connections, packets, bytes }) => {
      const place = formatServerKey({ kind: 'address', family: 4, protocol, address, port })
      return `${place} ${connections} ${packets} ${bytes}`
    })
    .sort()
}

test('each frontend has the counters of its virtual server, as wide as the kernel has them', () => {
  const state = stateOf(`
    service web 10.96.0.10 fd00:10::10 http:80/TCP dns:53/UDP
    slice web-4 of web http:8080/TCP dns:53/UDP | 10.1.0.4@n1
    slice web-6 of web http:8080/TCP dns:53/UDP | fd00:1::4@n1`)
  const servers = [...state.servers.values()].map(({ server: { key } }, index) =>
    counted(key, 2n ** 40n + BigInt(index)),
  )
  const found = frontendCounters(servers, state)
  assert.is(found.length, 4)
  assert.equal(
    new Set(found.map(({ connections, bytes }) => bytes / connections)),
    new Set([1_000n]),
  )
  assert.ok(found.every(({ connections }) => connections >= 2n ** 40n))
})

// Pods and the node have marks of their own here: the node's flows are masqueraded.
test('flows that a mark leads belong to the frontend that sets it, once', () => {
  const state = stateOf(`
    service local 10.96.0.4 p:80/TCP/30081 type=LoadBalancer lb=203.0.113.1 etp=Local
    slice local-1 of local p:8080/TCP | 10.1.0.4@n1 | 10.1.1.7@n2`)
  const servers = [...state.servers.values()].map(({ server: { key } }) =>
    counted(key, key.kind === 'mark' ? 100n : 1n),
  )
  assert.equal(format(frontendCounters(servers, state)), [
    'TCP 10.96.0.4:80 1 10 1000',
    'TCP 192.168.0.1:30081 201 2010 201000',
    'TCP 192.168.0.2:30081 1 10 1000',
    'TCP 203.0.113.1:80 201 2010 201000',
  ])
})

test('virtual servers of others are not counted', () => {
  const state = stateOf(`
    service web 10.96.0.10 http:80/TCP
    slice web-4 of web http:8080/TCP | 10.1.0.4@n1`)
  const theirs: VirtualServerKey[] = [
    { kind: 'address', family: 4, protocol: 'TCP', address: '10.50.0.1', port: 80 },
    { kind: 'mark', family: 4, mark: 7 },
  ]
  assert.equal(
    frontendCounters(
      theirs.map((key) => counted(key, 5n)),
      state,
    ),
    [],
  )
})

test.run()
