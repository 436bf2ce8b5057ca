import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../src/kube/clock.ts'
import type { EndpointSlice, Kind, Node, Resources, Service } from '../../src/kube/resources.ts'
import type { ClusterSource, Selection, Sink } from '../../src/kube/store.ts'
import { listenHttp } from '../../src/observe/http-server.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { createProxyMetrics } from '../../src/observe/proxy-metrics.ts'
import { configureProxy, type FlagTexts } from '../../src/proxy/config/configure-proxy.ts'
import { resolveProxyOptions } from '../../src/proxy/config/proxy-options.ts'
import type { PlanChange } from '../../src/proxy/plan/plan.ts'
import type { Mechanism, Plan, SyncReport } from '../../src/proxy/port/mechanism.ts'
import type { ProxyParts } from '../../src/proxy/proxy-parts.ts'
import { runProxy } from '../../src/proxy/run-proxy.ts'
import { type ProxySetup, RunningSetup } from '../../src/proxy/running-setup.ts'
import { parseCluster } from '../support/plan-fixture.ts'

const test = suite('proxy/run-proxy')

const cluster = parseCluster(`
  service web 10.96.0.10 http:80/TCP
  slice web-1 of web http:8080/TCP | 10.1.0.4@n1`)

const node: Node = {
  kind: 'Node',
  namespace: '',
  name: 'n1',
  labels: {},
  annotations: {},
  resourceVersion: '1',
  addresses: ['192.168.0.1'],
  podCIDRs: [],
}

/** A source whose sinks the test fills, and a mechanism that records. */
class World implements ClusterSource {
  readonly selections = new Map<Kind, Selection>()
  readonly sinks: { -readonly [K in Kind]?: Sink<Resources[K]> } = {}
  readonly plans: Plan[] = []
  readonly updates: PlanChange[] = []
  readonly lines: string[] = []
  readonly abort = new AbortController()
  readonly metrics = createProxyMetrics()
  addressesChanged: () => void = () => {}
  localAddresses = ['127.0.0.1', '192.168.0.1']
  /** What mechanisms were asked for, in order. */
  readonly events: string[] = []
  settledCount = 0
  setup: RunningSetup | undefined
  /** Ends the watch of Services with an error. */
  readonly broken = Promise.withResolvers<void>()
  #wake = Promise.withResolvers<void>()

  async watch<K extends Kind>(
    kind: K,
    selection: Selection,
    sink: Sink<Resources[K]>,
    signal: AbortSignal,
  ): Promise<void> {
    this.selections.set(kind, selection)
    const sinks: { [P in K]?: Sink<Resources[P]> } = this.sinks
    sinks[kind] = sink
    const { promise, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
    await Promise.race([promise, kind === 'Service' ? this.broken.promise : promise])
  }

  /** The complete lists, in this order. */
  async list(...kinds: readonly Kind[]): Promise<void> {
    for (const kind of kinds) {
      if (kind === 'Service') this.sinks.Service?.replace(cluster.services as Service[])
      if (kind === 'EndpointSlice')
        this.sinks.EndpointSlice?.replace(cluster.slices as EndpointSlice[])
      if (kind === 'Node') this.sinks.Node?.replace([node])
      if (kind === 'ServiceCIDR') this.sinks.ServiceCIDR?.replace([])
      await new Promise(setImmediate)
    }
  }

  /** Resolves when the condition holds; looked at after every synchronisation and log line. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#wake.promise
  }

  noticed(): void {
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  run(flags: FlagTexts = {}, leftovers: readonly Mechanism[] = []): Promise<void> {
    const { configuration, disabledServers } = configureProxy(
      { 'healthz-bind-address': '', 'metrics-bind-address': '', ...flags },
      undefined,
    )
    const options = resolveProxyOptions(configuration, 'n1')
    const isOff = (name: 'healthz' | 'metrics') => disabledServers.includes(name)
    const first = {
      ...options,
      healthzAddress: isOff('healthz') ? undefined : options.healthzAddress,
      metricsAddress: isOff('metrics') ? undefined : options.metricsAddress,
    }
    const setup = new RunningSetup(
      { options: first, mechanism: recordingMechanism(this) },
      leftovers,
    )
    this.setup = setup
    const parts: ProxyParts = {
      source: this,
      setup,
      logger: recordingLogger(this),
      metrics: this.metrics,
      clock: systemClock,
      stopwatch: () => performance.now(),
      localAddresses: () => this.localAddresses,
      watchAddresses: (changed) => {
        this.addressesChanged = changed
      },
      conntrack: undefined,
      settled: () => {
        this.settledCount++
        this.noticed()
      },
    }
    return runProxy(parts, this.abort.signal)
  }
}

/** `refusals`: how often the kernel refuses a synchronisation. */
function recordingMechanism(world: World, name = 'recording', refusals = 0): Mechanism {
  const report: SyncReport = { transactions: 1, operations: 1, bytes: 10 }
  const note = (what: string) => {
    world.events.push(`${name} ${what}`)
    world.noticed()
  }
  let refused = 0
  return {
    name,
    async synchronize(plan) {
      if (refused++ < refusals) {
        note('refused')
        throw new Error(`${name}: EOPNOTSUPP`)
      }
      note('complete')
      world.plans.push({ node: plan.node, services: new Map(plan.services) })
      return report
    },
    async update(changes) {
      world.updates.push(...changes)
      return report
    },
    compare: async () => [],
    trace: async () => ({ verdict: { kind: 'untouched' }, path: [] }),
    watchDrift: () => {},
    async cleanup() {
      note('removed')
      return report
    },
    close: () => note('closed'),
  }
}

function recordingLogger(world: World): Logger {
  const write = (_: unknown, message: string): void => {
    world.lines.push(message)
    world.noticed()
  }
  return { error: write, warn: write, info: write, debug: write }
}

const everything = ['Node', 'ServiceCIDR', 'Service', 'EndpointSlice'] as const

async function start(flags: FlagTexts = {}): Promise<{ world: World; ended: Promise<void> }> {
  const world = new World()
  const ended = world.run(flags)
  await world.list(...everything)
  await world.until(() => world.lines.includes('synchronised'))
  return { world, ended }
}

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

/** The setup of a world with another mechanism. */
function nextSetup({ setup }: World, mechanism: Mechanism): ProxySetup {
  assert.ok(setup)
  return { options: setup.present.options, mechanism }
}

test('another mode is complete before the one before is removed', async () => {
  const { world, ended } = await start()
  await world.setup?.replace(nextSetup(world, recordingMechanism(world, 'second')))
  assert.equal(world.events, [
    'recording complete',
    'second complete',
    'recording removed',
    'recording closed',
  ])
  world.sinks.Service?.delete('ns/web')
  await world.until(() => world.updates.length > 0)
  assert.is(world.plans.at(-1)?.services.size, 1)
  world.abort.abort()
  await ended
})

test('a mode that the kernel refuses is removed, and the one before serves on', async () => {
  const { world, ended } = await start()
  const refused = await world.setup
    ?.replace(nextSetup(world, recordingMechanism(world, 'second', 1)))
    .catch((error: Error) => error.message)
  assert.is(refused, 'second: EOPNOTSUPP')
  await world.until(() => world.plans.length > 1)
  assert.equal(world.events, [
    'recording complete',
    'second refused',
    'second removed',
    'second closed',
    'recording complete',
  ])
  world.abort.abort()
  await ended
})

test('other options for the same mechanism are one comparison more', async () => {
  const { world, ended } = await start()
  assert.ok(world.setup)
  const { options, mechanism } = world.setup.present
  await world.setup.replace({ options: { ...options, masqueradeMark: 1 }, mechanism })
  assert.equal(world.events, ['recording complete', 'recording complete'])
  assert.is(world.plans.at(-1)?.node.masqueradeMark, 1)
  world.abort.abort()
  await ended
})

test('a mode that keeps connections drains before it is removed, and no longer when it comes back', async () => {
  const { world, ended } = await start()
  const draining = recordingMechanism(world, 'keeper')
  const drained = Promise.withResolvers<void>()
  let isAborted = false
  draining.drain = (signal) => {
    world.events.push('keeper drains')
    signal.addEventListener('abort', () => {
      isAborted = true
      drained.resolve()
    })
    return drained.promise
  }
  await world.setup?.replace(nextSetup(world, draining))
  await world.setup?.replace(nextSetup(world, recordingMechanism(world, 'third')))
  assert.is(world.setup?.present.mechanism.name, 'third')
  assert.equal(world.events.slice(-2), ['third complete', 'keeper drains'])
  await world.setup?.replace(nextSetup(world, recordingMechanism(world, 'keeper')))
  assert.ok(isAborted)
  await world.until(() => world.events.includes('keeper closed'))
  assert.not.ok(world.events.includes('keeper removed'))
  world.abort.abort()
  await ended
})

test('what another mode left behind goes after the first synchronisation', async () => {
  const world = new World()
  const ended = world.run({}, [recordingMechanism(world, 'left')])
  await world.list(...everything)
  await world.until(() => world.events.includes('left closed'))
  assert.equal(world.events, ['recording complete', 'left removed', 'left closed'])
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
