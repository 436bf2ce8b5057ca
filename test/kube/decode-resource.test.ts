import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDecodePool } from '../../src/kube/decode-pool.ts'
import { decodeResource } from '../../src/kube/decode-resource.ts'
import type { EndpointSlice, Kind, Node, Service } from '../../src/kube/resources.ts'
import { DecodeError } from '../../src/net/decode-error.ts'
import { exampleObjects } from './example-objects.ts'

const test = suite('kube/decode-resource')

const examples = exampleObjects
const { Service: service, EndpointSlice: slice, Node: node } = exampleObjects

function faultOf(kind: Kind, value: unknown): string {
  try {
    decodeResource(kind, value, createDecodePool())
  } catch (error) {
    assert.instance(error, DecodeError)
    return (error as Error).message
  }
  return assert.unreachable('no error') as never
}

/** A copy of the example with another value at a path. */
function changed(kind: Kind, path: readonly (string | number)[], value: unknown): unknown {
  const copy = structuredClone<unknown>(examples[kind])
  let at = copy as Record<string | number, unknown>
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>
  at[path.at(-1) ?? ''] = value
  return copy
}

test('decodeService reads every field, canonical', () => {
  const expected: Service = {
    kind: 'Service',
    namespace: 'default',
    name: 'web',
    labels: { app: 'web' },
    annotations: { note: 'x' },
    resourceVersion: '7',
    type: 'LoadBalancer',
    clusterIPs: ['10.96.0.10', 'fd00::10'],
    isHeadless: false,
    externalName: '',
    externalIPs: ['192.0.2.1'],
    loadBalancerIngress: [{ ip: '203.0.113.9', ipMode: 'Proxy' }],
    loadBalancerSourceRanges: ['10.0.0.0/8'],
    loadBalancerClass: 'example.com/lb',
    ports: [
      {
        name: 'http',
        protocol: 'TCP',
        port: 80,
        nodePort: 30080,
        targetPort: 'web',
        appProtocol: 'http',
      },
      { name: 'dns', protocol: 'UDP', port: 53, nodePort: 0, targetPort: 53 },
    ],
    selector: { app: 'web' },
    sessionAffinity: 'ClientIP',
    sessionAffinityTimeoutSeconds: 60,
    externalTrafficPolicy: 'Local',
    internalTrafficPolicy: 'Local',
    trafficDistribution: 'PreferClose',
    healthCheckNodePort: 31000,
    publishNotReadyAddresses: true,
  }
  assert.equal(decodeResource('Service', service, createDecodePool()), expected)
})

test('decodeService fills absent fields with the defaults of the API', () => {
  const minimal = {
    metadata: { name: 'a' },
    spec: { clusterIP: '10.96.0.1', ports: [{ port: 5 }] },
  }
  const decoded = decodeResource('Service', minimal, createDecodePool())
  assert.is(decoded.namespace, 'default')
  assert.is(decoded.type, 'ClusterIP')
  assert.equal(decoded.clusterIPs, ['10.96.0.1'])
  assert.is(decoded.sessionAffinity, 'None')
  assert.is(decoded.sessionAffinityTimeoutSeconds, 10_800)
  assert.is(decoded.externalTrafficPolicy, 'Cluster')
  assert.is(decoded.internalTrafficPolicy, 'Cluster')
  assert.equal(decoded.ports[0], {
    name: '',
    protocol: 'TCP',
    port: 5,
    nodePort: 0,
    targetPort: 5,
  })
})

test('headless and ExternalName services have no cluster addresses', () => {
  const headless = { metadata: { name: 'a' }, spec: { clusterIP: 'None', clusterIPs: ['None'] } }
  const decoded = decodeResource('Service', headless, createDecodePool())
  assert.equal([decoded.isHeadless, decoded.clusterIPs], [true, []])
  const named = { metadata: { name: 'a' }, spec: { type: 'ExternalName', externalName: 'x.y' } }
  const external = decodeResource('Service', named, createDecodePool())
  assert.equal(
    [external.isHeadless, external.clusterIPs, external.externalName],
    [false, [], 'x.y'],
  )
})

test('decodeEndpointSlice resolves absent conditions', () => {
  const decoded: EndpointSlice = decodeResource('EndpointSlice', slice, createDecodePool())
  assert.is(decoded.serviceName, 'web')
  assert.equal(
    decoded.endpoints.map(({ state }) => [state.isReady, state.isServing, state.isTerminating]),
    [
      [true, true, false],
      [false, true, true],
      [false, true, false],
      [true, true, false],
    ],
  )
  assert.equal(decoded.endpoints[2]?.state.hintedZones, ['z1'])
  assert.equal(decoded.endpoints[2]?.state.hintedNodes, ['n1'])
  assert.is(decoded.endpoints[3]?.state.hintedZones, undefined)
  assert.equal(decoded.ports, [
    { name: '', protocol: 'TCP', port: 8080 },
    { name: 'all', protocol: 'UDP', port: undefined },
  ])
})

test('decodeEndpointSlice shares what repeats', () => {
  const pool = createDecodePool()
  const copy = (): EndpointSlice => {
    return decodeResource('EndpointSlice', JSON.parse(JSON.stringify(slice)), pool)
  }
  const [one, other] = [copy(), copy()]
  assert.is(one.ports, other.ports)
  for (const [index, endpoint] of one.endpoints.entries()) {
    assert.is(endpoint.state, other.endpoints[index]?.state)
  }
  assert.is(new Set(one.endpoints.map((endpoint) => endpoint.state)).size, one.endpoints.length)
})

test('decodeNode puts internal addresses first and leaves host names out', () => {
  const decoded: Node = decodeResource('Node', node, createDecodePool())
  assert.equal(decoded.addresses, ['192.168.0.1', '203.0.113.1'])
  assert.equal(decoded.podCIDRs, ['10.244.0.0/24', 'fd00::/64'])
  assert.is(decoded.namespace, '')
})

const faults: readonly (readonly [Kind, readonly (string | number)[], unknown, string])[] = [
  [
    'Service',
    ['spec', 'clusterIPs', 0],
    '10.96.0.300',
    'spec.clusterIPs[0]: got "10.96.0.300", expected an IPv4 or IPv6 address',
  ],
  [
    'Service',
    ['spec', 'ports', 1, 'port'],
    0,
    'spec.ports[1].port: got 0, expected a whole number 1..65535',
  ],
  [
    'Service',
    ['spec', 'ports', 1, 'port'],
    undefined,
    'spec.ports[1].port: got nothing, expected a whole number 1..65535',
  ],
  [
    'Service',
    ['spec', 'ports', 0, 'targetPort'],
    1.5,
    'spec.ports[0].targetPort: got 1.5, expected a whole number 1..65535 or a port name',
  ],
  [
    'Service',
    ['spec', 'ports', 0, 'protocol'],
    'tcp',
    'spec.ports[0].protocol: got "tcp", expected one of TCP, UDP, SCTP',
  ],
  [
    'Service',
    ['spec', 'ports'],
    {},
    'spec.ports: got "(an object)", expected a list of at most 20000 items',
  ],
  [
    'Service',
    ['spec', 'sessionAffinityConfig', 'clientIP', 'timeoutSeconds'],
    86_401,
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds: got 86401, ' +
      'expected a whole number 1..86400',
  ],
  [
    'Service',
    ['spec', 'externalTrafficPolicy'],
    'Near',
    'spec.externalTrafficPolicy: got "Near", expected one of Cluster, Local',
  ],
  [
    'Service',
    ['spec', 'selector'],
    { app: 5 },
    'spec.selector.app: got 5, expected a string of at most 262144 characters',
  ],
  [
    'Service',
    ['status', 'loadBalancer', 'ingress', 0, 'ip'],
    'x',
    'status.loadBalancer.ingress[0].ip: got "x", expected an IPv4 or IPv6 address',
  ],
  ['Service', ['kind'], 'Pod', 'kind: got "Pod", expected Service'],
  [
    'EndpointSlice',
    ['apiVersion'],
    'discovery.k8s.io/v1beta1',
    'apiVersion: got "discovery.k8s.io/v1beta1", expected discovery.k8s.io/v1',
  ],
  [
    'EndpointSlice',
    ['addressType'],
    'IPv5',
    'addressType: got "IPv5", expected one of IPv4, IPv6, FQDN',
  ],
  [
    'EndpointSlice',
    ['endpoints', 0, 'addresses', 0],
    'fd00::1',
    'endpoints[0].addresses[0]: got "fd00::1", expected an IPv4 address',
  ],
  [
    'EndpointSlice',
    ['endpoints', 3, 'addresses'],
    [],
    'endpoints[3].addresses: got "(a list of 0)", expected at least one address',
  ],
  [
    'EndpointSlice',
    ['endpoints', 1, 'conditions', 'ready'],
    'no',
    'endpoints[1].conditions.ready: got "no", expected true or false',
  ],
  [
    'EndpointSlice',
    ['endpoints', 2, 'hints', 'forZones', 0],
    7,
    'endpoints[2].hints.forZones[0]: got 7, expected an object',
  ],
  [
    'Node',
    ['status', 'addresses', 2, 'address'],
    'n1',
    'status.addresses[2].address: got "n1", expected an IPv4 or IPv6 address',
  ],
  [
    'ServiceCIDR',
    ['spec', 'cidrs', 1],
    '10.96.0.0',
    'spec.cidrs: got "10.96.0.0", expected address/length',
  ],
]

for (const [kind, path, value, expected] of faults) {
  test(`${kind}: ${expected}`, () => {
    const { metadata } = examples[kind]
    const name = 'namespace' in metadata ? `default/${metadata.name}` : metadata.name
    assert.is(faultOf(kind, changed(kind, path, value)), `${kind} ${name}: ${expected}`)
  })
}

test('a pod that has ended owns no address, and one that is deleted says so', () => {
  const decoded = decodeResource('Pod', examples.Pod, createDecodePool())
  assert.equal(decoded.ips, ['10.244.0.7', 'fd00::7'])
  assert.is(decoded.isTerminating, false)
  const ended = changed('Pod', ['status', 'phase'], 'Succeeded')
  assert.equal(decodeResource('Pod', ended, createDecodePool()).ips, [])
  const deleted = changed('Pod', ['metadata', 'deletionTimestamp'], '2026-01-01T00:00:00Z')
  assert.is(decodeResource('Pod', deleted, createDecodePool()).isTerminating, true)
})

test('endpoints name their pods when they are asked to', () => {
  const value = changed('EndpointSlice', ['endpoints', 0, 'targetRef'], { name: 'web-0' })
  const pools = [createDecodePool(), createDecodePool({ keepsPodNames: true })]
  const names = pools.map((pool) => decodeResource('EndpointSlice', value, pool).endpoints[0])
  assert.equal(
    names.map((endpoint) => endpoint?.podName),
    [undefined, 'web-0'],
  )
})

test('all faults come at once, a bounded number of them', () => {
  const ports = Array.from({ length: 1_000 }, () => ({ port: 'x' }))
  const message = faultOf('Service', { metadata: { name: 'A_b' }, spec: { ports, type: 5 } })
  assert.match(
    message,
    /^Service \(without name\): metadata\.name: .*; spec\.type: got 5, .*; spec\.ports\[0\]/,
  )
  assert.is(message.split('; ').length, 32)
})

test('mutated objects give a value or a DecodeError, never anything else', () => {
  const leaf = fc.oneof(
    fc.constantFrom(null, undefined, '', 'None', -1, 0, 65_536, 1e300, Number.NaN, true, [], {}),
    fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      '::ffff:1.2.3.4',
      '10.0.0.1',
      'x'.repeat(300),
    ),
    fc.string(),
    fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>,
  )
  const mutation = fc.record({
    kind: fc.constantFrom(...(Object.keys(examples) as Kind[])),
    edits: fc.array(fc.tuple(fc.nat(10_000), leaf), { minLength: 1, maxLength: 4 }),
  })
  let refusedCount = 0
  fc.assert(
    fc.property(mutation, ({ kind, edits }) => {
      const root: unknown = structuredClone(examples[kind])
      for (const [choice, value] of edits) mutate(root, choice, value)
      try {
        decodeResource(kind, root, createDecodePool())
      } catch (error) {
        assert.instance(error, DecodeError)
        assert.ok((error as Error).message.length < 10_000)
        refusedCount++
      }
    }),
    { numRuns: 3_000 },
  )
  assert.ok(refusedCount > 100, 'the mutations do reach the decoders')
  fc.assert(
    fc.property(fc.constantFrom(...(Object.keys(examples) as Kind[])), leaf, (kind, value) => {
      try {
        decodeResource(kind, value, createDecodePool())
      } catch (error) {
        assert.instance(error, DecodeError)
      }
    }),
  )
})

/** Puts a value at one of the places of a tree. */
function mutate(root: unknown, choice: number, value: unknown): void {
  const places: [Record<string, unknown>, string][] = []
  const visit = (at: unknown): void => {
    if (typeof at !== 'object' || at === null) return
    for (const key of Object.keys(at)) {
      places.push([at as Record<string, unknown>, key])
      visit((at as Record<string, unknown>)[key])
    }
  }
  visit(root)
  const place = places[choice % Math.max(1, places.length)]
  if (place !== undefined) place[0][place[1]] = value
}

test.run()
