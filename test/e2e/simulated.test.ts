import * as assert from 'uvu/assert'
import type { Family } from '../../src/net/address.ts'
import type { Flow } from '../../src/net/flow.ts'
import { formatBackend, type Verdict } from '../../src/proxy/port/verdict.ts'
import { flowCount } from '../support/flow-count.ts'
import { serverPort } from '../support/lab-objects.ts'
import { labSuite } from '../support/lab-scene.ts'
import { labAddresses } from '../support/lab-topology.ts'
import type { Answers } from './peers/requests.ts'

/** One address of each family, by a number. */
const cluster = (family: Family, number: number): string =>
  family === 4 ? `10.96.7.${number}` : `fd00:10:96::70${number}`
const external = (family: Family, number: number): string =>
  family === 4 ? `203.0.113.${number}` : `fd00:203::${number}`
const both = (address: typeof cluster, number: number): [string, string] => [
  address(4, number),
  address(6, number),
]

const local = { externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Local' }

const { test, run } = labSuite('the simulator agrees with the kernel', [
  {
    name: 'plain',
    clusterIPs: both(cluster, 1),
    pods: ['a', 'b', 'c'],
    nodePort: 30_041,
    loadBalancerIPs: both(external, 1),
  },
  {
    name: 'local',
    clusterIPs: both(cluster, 2),
    pods: ['a', 'c'],
    nodePort: 30_042,
    loadBalancerIPs: both(external, 2),
    spec: { ...local, healthCheckNodePort: 32_042 },
  },
  {
    name: 'elsewhere',
    clusterIPs: both(cluster, 3),
    pods: ['c'],
    nodePort: 30_043,
    loadBalancerIPs: both(external, 3),
    spec: { ...local, healthCheckNodePort: 32_043 },
  },
  { name: 'empty', clusterIPs: both(cluster, 4), pods: [], nodePort: 30_044 },
  {
    name: 'ranged',
    clusterIPs: both(cluster, 5),
    pods: ['b'],
    loadBalancerIPs: both(external, 5),
    spec: { loadBalancerSourceRanges: [labAddresses[4].nodePods, labAddresses[6].nodePods] },
  },
])

const sources = {
  'pod-a': { address: 'podA', inputInterface: 'pod-a' },
  'pod-c': { address: 'podC', inputInterface: 'eth0' },
  outside: { address: 'outside', inputInterface: 'eth0' },
  node: { address: 'node', inputInterface: undefined },
} as const

function flowOf(
  source: keyof typeof sources,
  family: Family,
  destination: string,
  destinationPort: number,
): Flow {
  const { address, inputInterface } = sources[source]
  return {
    family,
    protocol: 'TCP',
    source: labAddresses[family][address],
    sourcePort: 40_000,
    destination,
    destinationPort,
    origin: inputInterface === undefined ? 'local' : 'received',
    ...(inputInterface === undefined ? {} : { inputInterface }),
  }
}

const localAddresses = [4, 6].flatMap((family) => {
  const { node, podGateway } = labAddresses[family as Family]
  return [node, podGateway]
})

/** Asserts that real connections had the verdict. */
function assertAgrees(verdict: Verdict, answers: Answers, flow: Flow, what: string): void {
  if (verdict.kind !== 'balance') {
    const failure = verdict.kind === 'drop' ? 'timeout' : 'ECONNREFUSED'
    assert.equal(answers.failures, { [failure]: 1 }, what)
    return
  }
  assert.equal(answers.failures, {}, what)
  assert.equal(Object.keys(answers.servers).sort(), serversOf(verdict, flow.family), what)
  // On its way out a flow of the node may get, or not, the very address that it has.
  if (flow.origin === 'local') return
  const isKept = [...verdict.backends.values()].includes(false)
  assert.is(Object.keys(answers.sources).includes(flow.source), isKept, what)
}

function serversOf(verdict: Extract<Verdict, { readonly kind: 'balance' }>, family: Family) {
  const { podA, podB, podC } = labAddresses[family]
  const names = new Map(
    [podA, podB, podC].map((address, index) => [
      formatBackend(address, serverPort),
      ['a', 'b', 'c'][index] ?? '',
    ]),
  )
  return [...verdict.backends.keys()].map((backend) => names.get(backend) ?? backend).sort()
}

/** Enough to miss one of three servers once in ten million times. */
const count = flowCount(40, 8)

for (const family of [4, 6] as const) {
  for (const source of Object.keys(sources) as (keyof typeof sources)[]) {
    test(`IPv${family} from ${source}`, async (scene) => {
      const simulate = await scene.mode.simulate(scene.lab, scene.folder)
      const { node } = labAddresses[family]
      const targets = [1, 2, 3, 4, 5].flatMap((number): [string, number][] => [
        [cluster(family, number), 80],
        [cluster(family, number), 81],
        [node, 30_040 + number],
        ...(number === 4 ? [] : ([[external(family, number), 80]] as [string, number][])),
      ])
      for (const [address, port] of targets) {
        const flow = flowOf(source, family, address, port)
        const { verdict } = simulate(flow, localAddresses)
        const isBalanced = verdict.kind === 'balance'
        const request = { port, ...(isBalanced ? { count } : { count: 1, timeoutMs: 300 }) }
        const answers = await scene.connect(source, address, request)
        assertAgrees(
          verdict,
          answers,
          flow,
          `${source} to ${address} port ${port}: ${verdict.kind}`,
        )
      }
    })
  }
}

run()
