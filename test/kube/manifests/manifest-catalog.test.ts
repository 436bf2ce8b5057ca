import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDecodePool } from '../../../src/kube/decode-pool.ts'
import { ManifestCatalog } from '../../../src/kube/manifests/manifest-catalog.ts'
import { parseManifest } from '../../../src/kube/manifests/parse-manifest.ts'
import type {
  EndpointSlice,
  Namespace,
  Node,
  Pod,
  Service,
  ServiceCIDR,
} from '../../../src/kube/resources.ts'
import { Store } from '../../../src/kube/store.ts'

const test = suite('kube/manifests/manifest-catalog')

interface World {
  readonly catalog: ManifestCatalog
  readonly doubled: string[]
  namespaces(): readonly Namespace[]
  /** Everything in force, as comparable texts. */
  state(): readonly string[]
}

function openWorld(): World {
  const stores = {
    Service: new Store<Service>(),
    EndpointSlice: new Store<EndpointSlice>(),
    Node: new Store<Node>(),
    ServiceCIDR: new Store<ServiceCIDR>(),
    Namespace: new Store<Namespace>(),
    Pod: new Store<Pod>(),
  }
  const doubled: string[] = []
  const catalog = new ManifestCatalog(stores, ({ object, usedFile, ignoredFile }) => {
    doubled.push(`${object.name} ${usedFile} ${ignoredFile}`)
  })
  return {
    catalog,
    doubled,
    namespaces: () => [...stores.Namespace.values()],
    state: () =>
      Object.values(stores)
        .flatMap((store): unknown[] => [...store.values()])
        .map((object) => JSON.stringify(object))
        .sort(),
  }
}

function setText(world: World, file: string, documents: readonly string[]): void {
  const { objects, refused } = parseManifest(file, documents.join('---\n'), createDecodePool())
  assert.equal(refused, [])
  world.catalog.setFile(file, objects)
}

const header = (kind: string, name: string, labels = ''): string =>
  `apiVersion: ${kind === 'EndpointSlice' ? 'discovery.k8s.io/v1' : 'v1'}\nkind: ${kind}\n` +
  `metadata: {name: ${name}, labels: {${labels}}}\n`

const name = fc.constantFrom('a', 'b')
const app = fc.constantFrom('x', 'y')
const address = fc.constantFrom('10.0.0.1', '10.0.0.2')

/** One manifest document of any consumed kind, out of few names, so that they meet. */
const document = fc.oneof(
  fc
    .tuple(name, app, fc.constantFrom('', 'clusterIP: 10.96.0.7, ', 'clusterIP: None, '))
    .map(
      ([service, selected, ip]) =>
        `${header('Service', service)}spec: ` +
        `{${ip}selector: {app: ${selected}}, ports: [{port: 80}]}\n`,
    ),
  fc
    .tuple(name, name, address)
    .map(
      ([slice, service, ip]) =>
        `${header('EndpointSlice', slice, `kubernetes.io/service-name: ${service}`)}` +
        `addressType: IPv4\nendpoints: [{addresses: [${ip}]}]\n`,
    ),
  fc
    .tuple(name, address)
    .map(
      ([service, ip]) =>
        `${header('Endpoints', service)}subsets: ` +
        `[{addresses: [{ip: ${ip}, nodeName: n}], ports: [{port: 80}]}]\n`,
    ),
  fc
    .tuple(name, app, address)
    .map(
      ([pod, labelled, ip]) =>
        `${header('Pod', pod, `app: ${labelled}`)}spec: {nodeName: n}\nstatus: {podIP: ${ip}}\n`,
    ),
  app.map((zone) => header('Node', 'n', `topology.kubernetes.io/zone: ${zone}`)),
)

test('namespaces are those that are written and those that something lies in', () => {
  const world = openWorld()
  const names = (): string[] => world.namespaces().map(({ name, labels }) => name + labels.team)
  setText(world, 'a', [header('Service', 'a'), header('Pod', 'b')])
  assert.equal(names(), ['defaultundefined'])
  setText(world, 'b', [header('Namespace', 'other', 'team: x'), header('Namespace', 'default')])
  assert.equal(names().sort(), ['defaultundefined', 'otherx'])
  setText(world, 'b', [])
  assert.equal(names(), ['defaultundefined'])
  setText(world, 'a', [])
  assert.equal(names(), [])
})

test('any order of edits ends in what the final files give', () => {
  const edit = fc.tuple(
    fc.constantFrom('1.yaml', '2.yaml', '3.yaml'),
    fc.array(document, { maxLength: 4 }),
  )
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 10 }), (edits) => {
      const world = openWorld()
      for (const [file, documents] of edits) setText(world, file, documents)
      const fresh = openWorld()
      const final = [...new Map(edits)].sort(([one], [other]) => (one < other ? -1 : 1))
      for (const [file, documents] of final) setText(fresh, file, documents)
      assert.equal(world.state(), fresh.state())
    }),
    { numRuns: 400 },
  )
})

test('a double is told when it arises, not at each edit', () => {
  const world = openWorld()
  const node = header('Node', 'n')
  setText(world, 'b.yaml', [node])
  setText(world, 'a.yaml', [node])
  assert.equal(world.doubled, ['n a.yaml b.yaml'])
  setText(world, 'b.yaml', [node, header('Node', 'm')])
  assert.is(world.doubled.length, 1)
  setText(world, 'a.yaml', [])
  setText(world, 'a.yaml', [node])
  assert.is(world.doubled.length, 2)
})

test.run()
