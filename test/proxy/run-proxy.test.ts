import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { listenHttp } from '../../src/observe/http-server.ts'

import { everything, node, start, World } from './proxy-world.ts'

const test = suite('proxy/run-proxy')

async function metric(world: World, line: string): Promise<void> {
  assert.match(await world.metrics.registry.metrics(), line)
}

test('nothing is written before all lists are complete', async () => {
  const world = new World()
  const ended = world.run()
  await world.list('Service', 'EndpointSlice', 'ServiceCIDR')
  assert.is(world.plans.length, 0)
  await world.list('Node')
  await world.until(() => world.lines.includes('synchronised'))
  assert.is(world.plans.length, 1)
  assert.equal([...(world.plans[0]?.services.keys() ?? [])], ['ns/web'])
  world.abort.abort()
  await ended
})

test('the watches select like the original', async () => {
  const { world, ended } = await start()
  assert.equal(Object.fromEntries(world.selections), {
    Service: { labelSelector: '!service.kubernetes.io/service-proxy-name' },
    EndpointSlice: {
      labelSelector: '!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless',
    },
    Node: { fieldSelector: 'metadata.name=n1' },
    ServiceCIDR: {},
  })
  world.abort.abort()
  await ended
})

test('a change is an update and is counted', async () => {
  const { world, ended } = await start()
  world.sinks.Service?.delete('ns/web')
  await world.until(() => world.lines.filter((line) => line === 'synchronised').length > 1)
  assert.equal(
    world.updates.map(({ service, after }) => [service, after]),
    [['ns/web', undefined]],
  )
  await metric(world, 'kubeproxy_sync_proxy_rules_service_changes_total 2')
  await metric(world, 'kubeproxy_sync_proxy_rules_service_changes_pending 0')
  await metric(world, 'portolan_event_to_kernel_seconds_count 1')
  await metric(world, 'portolan_kernel_transactions_total 2')
  world.abort.abort()
  await ended
})

test('what only the start needed is let go once, after the first synchronisation', async () => {
  const world = new World()
  const ended = world.run()
  await world.list('Node', 'ServiceCIDR', 'Service')
  assert.is(world.settledCount, 0)
  await world.list('EndpointSlice')
  await world.until(() => world.settledCount > 0)
  world.sinks.Service?.delete('ns/web')
  await world.until(() => world.lines.filter((line) => line === 'synchronised').length > 1)
  await new Promise(setImmediate)
  assert.is(world.settledCount, 1)
  world.abort.abort()
  await ended
})

test('new addresses of the node are taken over', async () => {
  const { world, ended } = await start({ 'nodeport-addresses': '192.168.0.0/16,fd00::/8' })
  assert.equal(world.plans.at(-1)?.node.nodePortAddresses, ['192.168.0.1'])
  world.localAddresses = [...world.localAddresses, '192.168.7.7']
  world.addressesChanged()
  await world.until(() => world.plans.length > 1)
  assert.equal(world.plans.at(-1)?.node.nodePortAddresses, ['192.168.0.1', '192.168.7.7'])
  world.abort.abort()
  await ended
})

test('NodeCIDR waits for the podCIDRs of the node, and follows a change of them', async () => {
  const world = new World()
  const ended = world.run({ 'detect-local-mode': 'NodeCIDR' })
  await world.list(...everything)
  await world.until(() => world.lines.some((line) => line.startsWith('waiting for podCIDRs')))
  assert.is(world.plans.length, 0)
  for (const [index, podCIDRs] of [['10.244.1.0/24'], ['10.244.2.0/24']].entries()) {
    world.sinks.Node?.set({ ...node, podCIDRs, resourceVersion: `${index + 2}` })
    await world.until(() => world.plans.length > index)
    const detector = world.plans.at(-1)?.node.podDetector
    assert.is(
      detector?.kind === 'prefixes' && detector.prefixes[0]?.address,
      podCIDRs[0]?.slice(0, -3),
    )
  }
  world.abort.abort()
  await ended
})

test('a source that cannot go on ends the proxy with its error', async () => {
  const { world, ended } = await start()
  world.broken.reject(new Error('credentials refused'))
  assert.is(
    await ended.then(
      () => 'ended',
      (error: Error) => error.message,
    ),
    'credentials refused',
  )
})

test('a stop before the lists are in ends it at once', async () => {
  const world = new World()
  const ended = world.run()
  world.abort.abort()
  await ended
  assert.is(world.plans.length, 0)
})

test('a port in use is a warning, or the end when that is asked for', async () => {
  const other = await listenHttp('other', { host: '127.0.0.1', port: 0 }, () => undefined)
  const address = `127.0.0.1:${other.port}`
  const { world, ended } = await start({ 'healthz-bind-address': address })
  assert.ok(world.lines.some((line) => line.startsWith(`health server on ${address}: the port`)))
  world.abort.abort()
  await ended
  const hard = new World().run({
    'healthz-bind-address': address,
    'bind-address-hard-fail': 'true',
  })
  const message = await hard.then(
    () => 'ended',
    (error: Error) => error.message,
  )
  assert.match(message, `health server on ${address}: the port is in use`)
  await other.close()
})

test('a node that leaves fails healthz, and livez stays', async () => {
  const free = await listenHttp('probe', { host: '127.0.0.1', port: 0 }, () => undefined)
  await free.close()
  const { world, ended } = await start({ 'healthz-bind-address': `127.0.0.1:${free.port}` })
  const status = async (page: string) => {
    const response = await fetch(`http://127.0.0.1:${free.port}${page}`)
    await response.text()
    return response.status
  }
  await world.until(() => world.lines.includes('health server listens'))
  assert.is(await status('/healthz'), 200)
  world.sinks.Node?.set({ ...node, isLeaving: true, resourceVersion: '2' })
  assert.equal([await status('/healthz'), await status('/livez')], [503, 200])
  await metric(world, 'kubeproxy_proxy_healthz_total{code="503"} 1')
  world.abort.abort()
  await ended
})

test.run()
