import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openManifestSource } from '../../src/kube/manifest-source.ts'
import type { EndpointSlice, Service } from '../../src/kube/resources.ts'
import { formatSourceEvent, type SourceEvent } from '../../src/kube/source-event.ts'
import { type Change, Store } from '../../src/kube/store.ts'

const test = suite('kube/manifest-source')

interface World {
  readonly folder: string
  readonly services: Store<Service>
  readonly slices: Store<EndpointSlice>
  readonly events: SourceEvent[]
  write(file: string, text: string): void
  /** Resolves when the condition holds; looks at every change and every event. */
  until(condition: () => boolean): Promise<void>
}

/** Runs with a folder of these files, loaded and followed. */
async function withFolder(
  files: Readonly<Record<string, string>>,
  run: (world: World) => Promise<void> | void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'manifests-'))
  const abort = new AbortController()
  const events: SourceEvent[] = []
  const services = new Store<Service>()
  const slices = new Store<EndpointSlice>()
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const look of [...waiting]) look()
  }
  const world: World = {
    folder,
    services,
    slices,
    events,
    write(file, text) {
      mkdirSync(join(folder, file, '..'), { recursive: true })
      writeFileSync(join(folder, file), text)
    },
    until(condition) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const look = (): void => {
        if (!condition()) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
      return promise
    },
  }
  for (const [file, text] of Object.entries(files)) world.write(file, text)
  try {
    const report = (event: SourceEvent): void => {
      events.push(event)
      queueMicrotask(wake)
    }
    const source = await openManifestSource(folder, { report }, abort.signal)
    const watches = [
      source.watch('Service', {}, services, abort.signal),
      source.watch('EndpointSlice', {}, slices, abort.signal),
    ]
    services.subscribe(wake)
    slices.subscribe(wake)
    await run(world)
    abort.abort()
    await Promise.all(watches)
  } finally {
    abort.abort()
    rmSync(folder, { recursive: true, force: true })
  }
}

const web = (port: number): string => `apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  clusterIP: 10.96.0.10
  ports: [{port: ${port}, targetPort: 8080}]
`

const webSlice = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.244.0.7]}]
ports: [{port: 8080}]
`

test('documents of several files, lists and JSON become objects', async () => {
  const list = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ServiceList',
    items: [{ metadata: { name: 'a' }, spec: { clusterIP: '10.96.0.1', ports: [{ port: 1 }] } }],
  })
  const files = {
    'web.yaml': `${web(80)}---\n${webSlice}---\n`,
    'deep/er/list.json': list,
    'ignored.yaml': 'apiVersion: serving.knative.dev/v1\nkind: Service\n',
    '.hidden.yaml': web(1),
    'readme.md': 'text',
  }
  await withFolder(files, ({ services, slices, events }) => {
    assert.ok(services.isSynced)
    assert.equal([...services.values()].map((service) => service.name).sort(), ['a', 'web'])
    assert.is(services.get('shop/web')?.ports[0]?.targetPort, 8080)
    assert.is(slices.get('shop/web-1')?.serviceName, 'web')
    assert.equal(events, [])
  })
})

test('an edit changes only the edited object', async () => {
  await withFolder({ 'web.yaml': `${web(80)}---\n${webSlice}` }, async (world) => {
    const changes: Change<unknown>[] = []
    world.slices.subscribe((change) => changes.push(change))
    world.write('web.yaml', `${web(81)}---\n${webSlice}`)
    await world.until(() => world.services.get('shop/web')?.ports[0]?.port === 81)
    assert.equal(changes, [])
  })
})

test('a replacement by rename, a new folder and a removed file are noticed', async () => {
  await withFolder({ 'web.yaml': web(80) }, async (world) => {
    writeFileSync(join(world.folder, '.web.yaml.swp'), web(82))
    renameSync(join(world.folder, '.web.yaml.swp'), join(world.folder, 'web.yaml'))
    await world.until(() => world.services.get('shop/web')?.ports[0]?.port === 82)
    world.write('more/slice.yaml', webSlice)
    await world.until(() => world.slices.size === 1)
    rmSync(join(world.folder, 'more'), { recursive: true })
    await world.until(() => world.slices.size === 0)
    assert.is(world.services.size, 1)
  })
})

test('a broken file keeps its last good content and is reported once, with its line', async () => {
  await withFolder({ 'web.yaml': web(80) }, async (world) => {
    world.write('web.yaml', 'apiVersion: v1\nkind: Service\nmetadata: {name: web\n')
    await world.until(() => world.events.length === 1)
    const [event] = world.events
    assert.is(event?.kind, 'file refused')
    assert.match(event === undefined ? '' : formatSourceEvent(event), /^web\.yaml:\d+: .*stays/)
    assert.is(world.services.get('shop/web')?.ports[0]?.port, 80)
    world.write('web.yaml', web(83))
    await world.until(() => world.services.get('shop/web')?.ports[0]?.port === 83)
    assert.is(world.events[1]?.kind, 'file accepted')
  })
})

test('a bad object keeps its last good version; the rest of the file counts', async () => {
  await withFolder({ 'web.yaml': `${web(80)}---\n${webSlice}` }, async (world) => {
    const other = webSlice.replace('10.244.0.7', '10.244.0.8')
    world.write('web.yaml', `${web(80).replace('port: 80,', 'port: 99999,')}---\n${other}`)
    await world.until(() => world.slices.get('shop/web-1')?.endpoints[0]?.address === '10.244.0.8')
    assert.is(world.services.get('shop/web')?.ports[0]?.port, 80)
    const [event] = world.events
    assert.is(
      event === undefined ? '' : formatSourceEvent(event),
      'web.yaml:6: Service shop/web: spec.ports[0].port: got 99999, ' +
        'expected a whole number 1..65535 (the last good version stays)',
    )
  })
})

test('an object in two files is reported and the first file is used', async () => {
  await withFolder({ 'a.yaml': web(1), 'b.yaml': web(2) }, async (world) => {
    assert.is(world.services.get('shop/web')?.ports[0]?.port, 1)
    assert.equal(world.events.map(formatSourceEvent), [
      'b.yaml: Service shop/web is also in a.yaml, which is used',
    ])
    rmSync(join(world.folder, 'a.yaml'))
    await world.until(() => world.services.get('shop/web')?.ports[0]?.port === 2)
  })
})

test('Endpoints become slices unless the service has slices of its own', async () => {
  const endpoints = `apiVersion: v1
kind: Endpoints
metadata: {name: web, namespace: shop}
subsets:
- addresses: [{ip: 10.1.0.1, nodeName: n1}, {ip: 'fd00::1'}]
  notReadyAddresses: [{ip: 10.1.0.2}]
  ports: [{name: http, port: 8080}]
`
  await withFolder({ 'web.yaml': `${web(80)}---\n${endpoints}` }, async (world) => {
    const [ipv4, ipv6] = [...world.slices.values()]
    assert.equal(
      ipv4?.endpoints.map(({ address, state }) => [address, state.isReady]),
      [
        ['10.1.0.1', true],
        ['10.1.0.2', false],
      ],
    )
    assert.is(ipv4?.serviceName, 'web')
    assert.is(ipv6?.endpoints[0]?.address, 'fd00::1')
    world.write('slice.yaml', webSlice)
    await world.until(() => world.slices.size === 1)
    assert.ok(world.slices.get('shop/web-1'))
  })
})

test('pods that the selector matches become endpoints, with their node zone', async () => {
  const pod = (name: string, ip: string, more = ''): string => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: web, tier: x}}
spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
status: {podIP: ${ip}${more}}
`
  const service = `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: h, port: 80, targetPort: http}]}
`
  const node = `apiVersion: v1
kind: Node
metadata: {name: n1, labels: {topology.kubernetes.io/zone: z1}}
`
  const notReady = ', conditions: [{type: Ready, status: "False"}]'
  const files = {
    'a-pods.yaml': `${pod('p1', '10.1.0.1')}---\n${pod('p2', '10.1.0.2', notReady)}`,
    'service.yaml': service,
    'z-node.yaml': node,
  }
  await withFolder(files, async (world) => {
    const [slice] = [...world.slices.values()]
    assert.equal(
      slice?.endpoints.map(({ address, state }) => [address, state.isReady, state.zone]),
      [
        ['10.1.0.1', true, 'z1'],
        ['10.1.0.2', false, 'z1'],
      ],
    )
    assert.equal(slice?.ports, [{ name: 'h', protocol: 'TCP', port: 8080 }])
    world.write('a-pods.yaml', pod('p1', '10.1.0.1'))
    await world.until(() => [...world.slices.values()][0]?.endpoints.length === 1)
  })
})

test('a service without address gets a stable one that is written nowhere', async () => {
  const plain =
    'apiVersion: v1\nkind: Service\nmetadata: {name: plain}\nspec: {ports: [{port: 80}]}\n'
  let first = ''
  await withFolder({ 'plain.yaml': plain }, ({ services }) => {
    first = services.get('default/plain')?.clusterIPs[0] ?? ''
    assert.match(first, /^10\.96\.\d+\.\d+$/)
  })
  await withFolder({ 'plain.yaml': plain }, async (world) => {
    assert.equal(world.services.get('default/plain')?.clusterIPs, [first])
    world.write('web.yaml', web(80).replace('10.96.0.10', first))
    await world.until(() => world.services.size === 2)
    assert.equal(world.services.get('shop/web')?.clusterIPs, [first])
    assert.is.not(world.services.get('default/plain')?.clusterIPs[0], first)
  })
})

test('a missing folder refuses to open', async () => {
  const abort = new AbortController()
  await openManifestSource('/nonexistent/folder', {}, abort.signal).then(
    () => assert.unreachable(),
    (error: Error) =>
      assert.match(error.message, /^\/nonexistent\/folder: cannot be read \(ENOENT\)/),
  )
})

test.run()
