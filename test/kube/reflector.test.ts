import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ApiSource } from '../../src/kube/api-source.ts'
import { ApiTransport } from '../../src/kube/api-transport.ts'
import { systemClock } from '../../src/kube/clock.ts'
import type { Service } from '../../src/kube/resources.ts'
import type { SourceEvent } from '../../src/kube/source-event.ts'
import { type Selection, Store } from '../../src/kube/store.ts'
import { accessTo } from './access.ts'
import { type FakeApiServer, openFakeApiServer } from './fake-api-server.ts'
import { FakeClock } from './fake-clock.ts'

const test = suite('kube/reflector')

interface World {
  readonly server: FakeApiServer
  readonly store: Store<Service>
  readonly events: SourceEvent[]
  readonly clock: FakeClock
  /** Resolves when the condition holds; looks at every change and every event. */
  until(condition: () => boolean): Promise<void>
  /** Answers the first request like a server that cannot stream lists. */
  refuseStreaming(): Promise<void>
  names(): string[]
}

async function withReflector(
  run: (world: World) => Promise<void>,
  options: { readonly selection?: Selection; readonly isFakeTime?: boolean } = {},
): Promise<void> {
  const server = await openFakeApiServer()
  const clock = new FakeClock()
  const transport = new ApiTransport(accessTo(server.url))
  const events: SourceEvent[] = []
  const store = new Store<Service>()
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const look of [...waiting]) look()
  }
  store.subscribe(() => queueMicrotask(wake))
  void store.synced.then(wake)
  const source = new ApiSource(transport, {
    report(event) {
      events.push(event)
      queueMicrotask(wake)
    },
    clock: options.isFakeTime ? clock : systemClock,
    random: () => 0,
    limits: { pageLimit: 2, backoff: { baseMs: options.isFakeTime ? 200 : 1, maxMs: 1_000 } },
  })
  const abort = new AbortController()
  const watch = source.watch('Service', options.selection ?? {}, store, abort.signal)
  const failed = watch.then(() => assert.ok(abort.signal.aborted, 'the watch ended by itself'))
  try {
    const world: World = {
      server,
      store,
      events,
      clock,
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
      async refuseStreaming() {
        const request = await server.next()
        assert.is(request.query.sendInitialEvents, 'true')
        request.json({ kind: 'Status', code: 422, reason: 'Invalid' }, 422)
      },
      names: () => [...store.values()].map((service) => service.name).sort(),
    }
    await Promise.race([run(world), failed])
    abort.abort()
    await watch
  } finally {
    abort.abort()
    await transport.close()
    await server.close()
  }
}

const service = (name: string, version: number, port = 80): object => ({
  metadata: { name, namespace: 'd', resourceVersion: String(version) },
  spec: { clusterIP: '10.96.0.1', ports: [{ port }] },
})

const list = (version: number, items: readonly object[], next = ''): object => ({
  kind: 'ServiceList',
  metadata: { resourceVersion: String(version), ...(next === '' ? {} : { continue: next }) },
  items,
})

const bookmark = (version: number, isEnd = false): object => ({
  type: 'BOOKMARK',
  object: {
    metadata: {
      resourceVersion: String(version),
      ...(isEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    },
  },
})

test('a list is read page by page and watched from its version', async () => {
  await withReflector(
    async ({ server, refuseStreaming, names, events, store }) => {
      await refuseStreaming()
      const first = await server.next()
      assert.is(first.url.pathname, '/api/v1/services')
      assert.equal(first.query, { labelSelector: '!x', limit: '2' })
      first.json(list(10, [service('a', 1), service('b', 2)], 'token-1'))
      const second = await server.next()
      assert.equal(second.query, { labelSelector: '!x', limit: '2', continue: 'token-1' })
      assert.not.ok(store.isSynced)
      second.json(list(10, [service('c', 3)]))
      const watch = await server.next()
      assert.equal(names(), ['a', 'b', 'c'])
      assert.equal(watch.query, {
        labelSelector: '!x',
        watch: 'true',
        allowWatchBookmarks: 'true',
        timeoutSeconds: '300',
        resourceVersion: '10',
      })
      assert.equal(events, [])
    },
    { selection: { labelSelector: '!x' } },
  )
})

test('a list that the server forgets between two pages is read in one', async () => {
  await withReflector(async ({ server, refuseStreaming, names }) => {
    await refuseStreaming()
    ;(await server.next()).json(list(10, [service('a', 1), service('b', 2)], 'token-1'))
    ;(await server.next()).json({ kind: 'Status', code: 410, reason: 'Expired' }, 410)
    const full = await server.next()
    assert.equal(full.query, {})
    full.json(list(12, [service('b', 2), service('c', 11), service('d', 12)]))
    assert.is((await server.next()).query.resourceVersion, '12')
    assert.equal(names(), ['b', 'c', 'd'])
  })
})

test('a streaming list becomes the store at its end mark, and goes on as the watch', async () => {
  await withReflector(async ({ server, store, until, names }) => {
    const watch = await server.next()
    assert.is(watch.query.resourceVersionMatch, 'NotOlderThan')
    assert.is(watch.query.resourceVersion, undefined)
    watch.open()
    watch.send(
      { type: 'ADDED', object: service('a', 1) },
      { type: 'ADDED', object: service('b', 2) },
      { type: 'ADDED', object: service('c', 3) },
      { type: 'DELETED', object: service('b', 4) },
      bookmark(4, true),
    )
    await until(() => store.isSynced)
    assert.equal(names(), ['a', 'c'])
    watch.send({ type: 'MODIFIED', object: service('a', 5, 81) })
    await until(() => store.get('d/a')?.ports[0]?.port === 81)
    watch.send({
      type: 'DELETED',
      object: { metadata: { name: 'a', namespace: 'd', resourceVersion: '6' } },
    })
    await until(() => store.size === 1)
  })
})

test('a broken connection is resumed from the last version or bookmark, unreported', async () => {
  await withReflector(async ({ server, store, until, events }) => {
    const first = await server.next()
    first.open()
    first.send({ type: 'ADDED', object: service('a', 1) }, bookmark(7, true))
    await until(() => store.isSynced)
    first.send({ type: 'MODIFIED', object: service('a', 8, 82) })
    await until(() => store.get('d/a')?.ports[0]?.port === 82)
    first.cut()
    const second = await server.next()
    assert.is(second.query.resourceVersion, '8')
    assert.is(second.query.sendInitialEvents, undefined)
    second.open()
    second.send(bookmark(20), { type: 'ADDED', object: service('b', 21) })
    await until(() => store.size === 2)
    second.end()
    assert.is((await server.next()).query.resourceVersion, '21')
    assert.equal(events, [])
  })
})

test('an expired version leads to a new list, and what is not in it is gone', async () => {
  await withReflector(async ({ server, store, until, names, events }) => {
    const first = await server.next()
    first.open()
    first.send({ type: 'ADDED', object: service('a', 1) }, bookmark(1, true))
    await until(() => store.isSynced)
    first.send({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } })
    const second = await server.next()
    assert.is(second.query.sendInitialEvents, 'true')
    second.open()
    second.send({ type: 'ADDED', object: service('b', 30) }, bookmark(31, true))
    await until(() => store.get('d/b') !== undefined)
    await until(() => store.size === 1)
    assert.equal(names(), ['b'])
    second.end()
    const third = await server.next()
    third.json({ kind: 'Status', code: 410, reason: 'Expired' }, 410)
    assert.is((await server.next()).query.sendInitialEvents, 'true')
    assert.equal(events, [])
  })
})

test('a fault is reported once, and its end too; Retry-After is obeyed', async () => {
  await withReflector(
    async ({ server, events, until, clock }) => {
      const forbidden = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no list' }
      let waits = clock.scheduled(200)
      ;(await server.next()).json(forbidden, 403)
      await waits
      waits = clock.scheduled(3_000)
      clock.advance(200)
      ;(await server.next()).json(forbidden, 403, { 'retry-after': '3' })
      await waits
      clock.advance(2_999)
      assert.is(server.waitingCount, 0)
      clock.advance(1)
      const watch = await server.next()
      watch.open()
      watch.send(bookmark(1, true))
      await until(() => events.length === 2)
      const [failed, restored] = events
      assert.is(
        failed?.kind === 'watch failed' ? failed.error.message : '',
        [
          `GET ${server.url}/api/v1/services: 403 Forbidden: no list`,
          '; grant get, list and watch to this user',
        ].join(''),
      )
      assert.is(restored?.kind, 'watch restored')
    },
    { isFakeTime: true },
  )
})

test('a watch in which nothing comes is opened again', async () => {
  await withReflector(
    async ({ server, store, until, clock, events }) => {
      const first = await server.next()
      first.open()
      first.send({ type: 'ADDED', object: service('a', 1) }, bookmark(5, true))
      await until(() => store.isSynced)
      clock.advance(149_999)
      first.send({ type: 'MODIFIED', object: service('a', 6, 81) })
      await until(() => store.get('d/a')?.ports[0]?.port === 81)
      clock.advance(149_999)
      assert.is(server.waitingCount, 0)
      const waits = clock.scheduled(200)
      clock.advance(1)
      await waits
      clock.advance(200)
      assert.is((await server.next()).query.resourceVersion, '6')
      assert.equal(events, [])
    },
    { isFakeTime: true },
  )
})

test('initial events without an end make it list pages', async () => {
  await withReflector(
    async ({ server, clock, names, until, store }) => {
      const first = await server.next()
      const opened = clock.scheduled(30_000)
      first.open()
      first.send({ type: 'ADDED', object: service('a', 1) })
      await opened
      clock.advance(30_000)
      const request = await server.next()
      assert.equal(request.query, { limit: '2' })
      request.json(list(3, [service('a', 1)]))
      await until(() => store.isSynced)
      assert.equal(names(), ['a'])
    },
    { isFakeTime: true },
  )
})

test('a bad object is reported once, its last good version stays, the others go on', async () => {
  await withReflector(async ({ server, store, until, events }) => {
    const watch = await server.next()
    const bad = { metadata: { name: 'bad', namespace: 'd', resourceVersion: '2' }, spec: 5 }
    watch.open()
    watch.send(
      { type: 'ADDED', object: service('a', 1) },
      { type: 'ADDED', object: bad },
      bookmark(2, true),
    )
    await until(() => store.isSynced)
    assert.is(store.size, 1)
    watch.send(
      { type: 'MODIFIED', object: service('a', 3, 70_000) },
      { type: 'MODIFIED', object: service('a', 4, 70_000) },
      { type: 'ADDED', object: service('b', 5) },
    )
    await until(() => store.get('d/b') !== undefined)
    assert.is(store.get('d/a')?.ports[0]?.port, 80)
    assert.equal(
      events.map((event) => [
        event.kind,
        'key' in event && event.key,
        'isKept' in event && event.isKept,
      ]),
      [
        ['object refused', 'd/bad', false],
        ['object refused', 'd/a', true],
      ],
    )
    watch.send({ type: 'MODIFIED', object: service('a', 6, 443) })
    await until(() => store.get('d/a')?.ports[0]?.port === 443)
    assert.is(events[2]?.kind, 'object accepted')
    watch.end()
    assert.is((await server.next()).query.resourceVersion, '6')
  })
})

test('a bad object of a new list keeps the version of the list before', async () => {
  await withReflector(async ({ server, store, until, refuseStreaming }) => {
    await refuseStreaming()
    ;(await server.next()).json(list(2, [service('a', 1), service('b', 2)]))
    ;(await server.next()).json({ code: 410 }, 410)
    ;(await server.next()).json(list(9, [service('a', 8, 0), service('c', 9)]))
    await until(() => store.get('d/c') !== undefined)
    await until(() => store.get('d/b') === undefined)
    assert.is(store.get('d/a')?.ports[0]?.port, 80)
  })
})

test('a line that is no event leads to a new list', async () => {
  await withReflector(async ({ server, store, until, events }) => {
    const first = await server.next()
    first.open()
    first.send(bookmark(1, true))
    await until(() => store.isSynced)
    first.write('{"type": "ADDED", \n')
    const second = await server.next()
    assert.is(second.query.sendInitialEvents, 'true')
    assert.equal(events, [])
  })
})

test('a sink that throws ends the watch', async () => {
  const server = await openFakeApiServer()
  const transport = new ApiTransport(accessTo(server.url))
  const store = new Store<Service>()
  store.subscribe(() => {
    throw new Error('broken promise')
  })
  const watch = new ApiSource(transport).watch('Service', {}, store, new AbortController().signal)
  const request = await server.next()
  request.open()
  request.send({ type: 'ADDED', object: service('a', 1) }, bookmark(1, true))
  await watch.then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'broken promise'),
  )
  await transport.close()
  await server.close()
})

test.run()
