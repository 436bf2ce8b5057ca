import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ClusterNames, type Dependency } from '../../../src/dns/zone/cluster-names.ts'
import { ask, directive, formatReply, openCluster, testSerial } from './zone-fixture.ts'

const test = suite('dns/zone/cluster-names')

const name = fc.constantFrom('a', 'b')
const namespace = fc.constantFrom('x', 'y')
const address = fc.constantFrom('10.0.0.1', '10.0.0.2')

const document = fc.oneof(
  fc
    .tuple(
      name,
      namespace,
      fc.constantFrom('clusterIP: None', 'clusterIP: 10.96.0.1', 'clusterIP: 10.96.0.2'),
      fc.constantFrom('http', 'dns'),
    )
    .map(
      ([service, space, ip, port]) =>
        `apiVersion: v1\nkind: Service\nmetadata: {name: ${service}, namespace: ${space}}\n` +
        `spec: {${ip}, ports: [{name: ${port}, port: 80}]}\n`,
    ),
  fc
    .tuple(
      name,
      namespace,
      name,
      fc.array(fc.tuple(address, fc.constantFrom('', 'h'), fc.boolean()), { maxLength: 2 }),
    )
    .map(
      ([own, space, owner, endpoints]) =>
        'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n' +
        `metadata: {name: ${own}, namespace: ${space}, ` +
        `labels: {kubernetes.io/service-name: ${owner}}}\n` +
        'ports: [{name: http, port: 80}]\nendpoints:' +
        (endpoints.length === 0 ? ' []' : '') +
        endpoints
          .map(
            ([ip, hostname, ready]) =>
              `\n- {addresses: [${ip}], hostname: "${hostname}", conditions: {ready: ${ready}}}`,
          )
          .join('') +
        '\n',
    ),
  fc
    .tuple(name, namespace, address)
    .map(
      ([pod, space, ip]) =>
        `apiVersion: v1\nkind: Pod\nmetadata: {name: ${pod}, namespace: ${space}}\n` +
        `status: {podIP: ${ip}}\n`,
    ),
)

const step = fc.tuple(fc.constantFrom('1', '2', '3', '4'), fc.option(document, { nil: '' }))

const services = ['a', 'b'].flatMap((one) => ['x', 'y'].map((two) => `${one}.${two}.svc`))
const questions = [
  ...services.map((service) => `${service}.cluster.local. A`),
  ...services.map((service) => `_http._tcp.${service}.cluster.local. SRV`),
  'h.a.x.svc.cluster.local. A',
  '10-0-0-1.a.x.svc.cluster.local. A',
  '10-0-0-1.x.pod.cluster.local. A',
  'x.svc.cluster.local. A',
  '1.0.0.10.in-addr.arpa. PTR',
  '2.0.0.10.in-addr.arpa. PTR',
  '1.0.96.10.in-addr.arpa. PTR',
]

/** All answers, sorted within, and what each depended on. */
async function answers(names: ClusterNames): Promise<Map<string, [string, Set<Dependency>]>> {
  const settings = directive('pods verified')
  const found = new Map<string, [string, Set<Dependency>]>()
  for (const question of questions) {
    const { result, uses } = names.recordUses(() => ask({ names }, settings, question))
    const text = [...formatReply(await result)].sort().join('\n')
    found.set(question, [text, new Set(uses)])
  }
  return found
}

test('after any history the answers are those of an index built anew, and changes are told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const cluster = openCluster()
      const told = new Set<Dependency>()
      cluster.names.subscribe((changed) => told.add(changed))
      let before = await answers(cluster.names)
      for (const [file, text] of steps) {
        told.clear()
        cluster.setFile(file, text)
        const after = await answers(cluster.names)
        const rebuilt = await answers(new ClusterNames(cluster.objects, () => testSerial))
        for (const [question, [found]] of after) {
          assert.is(found, rebuilt.get(question)?.[0], question)
          const [old, uses] = before.get(question) ?? ['', new Set()]
          if (found === old) continue
          assert.ok(
            [...uses].some((use) => told.has(use)),
            `${question}: changed, but none of ${[...uses].join(', ')} was told`,
          )
        }
        before = after
      }
    }),
    { numRuns: 150 },
  )
})

test('a change of one endpoint touches its own names only', () => {
  const cluster = openCluster()
  const text = (ready: boolean): string =>
    'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n' +
    'metadata: {name: s, namespace: x, labels: {kubernetes.io/service-name: a}}\n' +
    'endpoints:\n- {addresses: [10.0.0.1]}\n' +
    `- {addresses: [10.0.0.2], conditions: {ready: ${ready}}}\n`
  cluster.setFile('slice', text(true))
  const told: Dependency[] = []
  cluster.names.subscribe((changed) => told.push(changed))
  cluster.setFile('slice', text(false))
  assert.equal(told, ['svc x/a', 'ip 10.0.0.2'])
})

test('an address of two endpoints is told of when one of them goes', () => {
  const cluster = openCluster()
  const text = (endpoints: string): string =>
    'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n' +
    'metadata: {name: s, namespace: x, labels: {kubernetes.io/service-name: a}}\n' +
    `endpoints:\n${endpoints}`
  const named = '- {addresses: [10.0.0.2], hostname: h}\n'
  cluster.setFile('slice', text(`- {addresses: [10.0.0.2]}\n${named}`))
  const told: Dependency[] = []
  cluster.names.subscribe((changed) => told.push(changed))
  cluster.setFile('slice', text(named))
  assert.equal(told, ['svc x/a', 'ip 10.0.0.2'])
})

test.run()
