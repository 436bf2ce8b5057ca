import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { BroadcastChannel } from 'node:worker_threads'
import { AggregatorRegistry } from 'prom-client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeMessage } from '../../../src/dns/wire/decode-message.ts'
import { WorkerPool } from '../../../src/dns/workers/worker-pool.ts'
import { systemClock } from '../../../src/kube/clock.ts'
import type { Kind, Resources } from '../../../src/kube/resources.ts'
import type { ClusterSource, Sink } from '../../../src/kube/store.ts'
import { createLogger } from '../../../src/observe/logger.ts'
import { parseCluster } from '../../support/plan-fixture.ts'
import { queryPacket } from '../answer/responder-fixture.ts'
import { freePort, parseCorefile } from '../server/running-server.ts'
import { channelName, testWorkerEntry, type WorkerWord } from './test-worker.ts'

const test = suite('dns/workers/worker-pool')

/** One service, and the count of watches that feed workers with it. */
class OneService implements ClusterSource {
  services: Sink<Resources['Service']> | undefined
  watchCount = 0

  async watch<K extends Kind>(
    kind: K,
    _selection: unknown,
    sink: Sink<Resources[K]>,
    signal: AbortSignal,
  ): Promise<void> {
    const meta = { labels: {}, annotations: {}, resourceVersion: '1' }
    const objects: { [P in Kind]?: readonly Resources[P][] } = {
      Service: parseCluster('service web 10.96.0.10 http:80/TCP').services,
      Namespace: [{ kind: 'Namespace', namespace: '', name: 'ns', ...meta }],
    }
    this.watchCount++
    if (kind === 'Service') this.services = sink as Sink<Resources[Kind]> as typeof this.services
    sink.replace((objects[kind] ?? []) as Resources[K][])
    if (!signal.aborted) await once(signal, 'abort')
    this.watchCount--
  }
}

interface Pool {
  readonly pool: WorkerPool
  readonly port: number
  readonly source: OneService
  readonly errors: readonly string[]
  /** Threads that took a Corefile, in order. */
  readonly taken: readonly number[]
  /** Resolves when so many have. */
  untilTaken(count: number): Promise<void>
  crash(thread: number): void
  end(): Promise<void>
}

/** A pool of two workers that serves `body` on a free port. */
async function openPool(body: string): Promise<Pool> {
  const port = await freePort()
  const source = new OneService()
  const errors: string[] = []
  const taken: number[] = []
  const channel = new BroadcastChannel(channelName)
  let isTaken = Promise.withResolvers<void>()
  channel.onmessage = (event) => {
    const { word, thread } = (event as { readonly data: WorkerWord }).data
    if (word !== 'taken') return
    taken.push(thread)
    isTaken.resolve()
    isTaken = Promise.withResolvers()
  }
  const pool = new WorkerPool({
    workerCount: 2,
    entry: testWorkerEntry,
    setup: { logLevel: 'error', randomizesCase: false },
    source,
    logger: createLogger({ format: 'json', level: 'error' }, (line) => errors.push(line)),
    log: () => {},
    clock: systemClock,
  })
  await pool.take(parseCorefile(corefileOf(port, body)))
  return {
    pool,
    port,
    source,
    errors,
    taken,
    async untilTaken(count) {
      while (taken.length < count) await isTaken.promise
    },
    crash: (thread) => channel.postMessage({ word: 'crash', thread }),
    async end() {
      await pool.close()
      channel.close()
    },
  }
}

function corefileOf(port: number, body: string): string {
  return `.:${port} {\n bind 127.0.0.1\n ${body}\n}\n`
}

function hosts(address: string): string {
  return `hosts {\n  ${address} web.test\n  fallthrough\n }`
}

/** Addresses that many sockets get: the kernel gives each to one of the workers. */
async function askOften(port: number, question: string): Promise<ReadonlySet<string>> {
  const answers = Array.from({ length: 24 }, async () => {
    const socket = createSocket('udp4')
    socket.send(queryPacket(question), port, '127.0.0.1')
    const timeout = setTimeout(() => socket.emit('message', undefined), 5_000)
    const [packet] = (await once(socket, 'message')) as [Buffer | undefined]
    clearTimeout(timeout)
    socket.close()
    const data = packet && decodeMessage(packet).answers[0]?.data
    return data?.kind === 'A' ? data.address : 'nothing'
  })
  return new Set(await Promise.all(answers))
}

async function countOf(pool: WorkerPool): Promise<number> {
  const text = await AggregatorRegistry.aggregate([[...(await pool.metrics())]]).metrics()
  const [, count] = /^coredns_dns_requests_total\{.*\} (\d+)$/m.exec(text) ?? []
  return Number(count)
}

let open: Pool | undefined
/** Started once: threads are slow to start. */
function poolOf(): Pool {
  assert.ok(open)
  return open
}

test.before(async () => {
  open = await openPool(`kubernetes cluster.local\n ${hosts('192.0.2.1')}`)
})
test.after(async () => {
  const { end, source } = poolOf()
  await end()
  assert.is(source.watchCount, 0)
})

test('workers share a port, one watch, and the count of queries', async () => {
  const { pool, port, source } = poolOf()
  const question = 'web.ns.svc.cluster.local. A'
  assert.equal([...(await askOften(port, question))], ['10.96.0.10'])
  assert.is(await countOf(pool), 24)
  assert.is(source.watchCount, 3)
  assert.equal(await pool.waiting(), [])
  const [service] = parseCluster('service web 10.96.0.77 http:80/TCP').services
  assert.ok(service)
  source.services?.set({ ...service, resourceVersion: '2' })
  // An answer of each says that it has what was posted before.
  await pool.waiting()
  assert.equal([...(await askOften(port, question))], ['10.96.0.77'])
  const asked = { name: 'web.ns.svc.cluster.local.', type: 1, client: '127.0.0.1' } as const
  assert.is((await pool.explain({ ...asked, transport: 'udp', port: undefined })).length, 2)
})

test('a Corefile is taken by all, or by none', async () => {
  const { pool, port } = poolOf()
  const body = `kubernetes cluster.local\n ${hosts('192.0.2.2')}`
  await pool.take(parseCorefile(corefileOf(port, body)))
  assert.equal([...(await askOften(port, 'web.test. A'))], ['192.0.2.2'])
  const other = await freePort()
  const wrong = `tls://${corefileOf(other, `tls /nowhere/cert /nowhere/key\n ${hosts('192.0.2.3')}`)}`
  const message = await pool.take(parseCorefile(wrong)).catch((error: Error) => error.message)
  assert.match(String(message), 'certificate /nowhere/cert: ENOENT')
  assert.equal([...(await askOften(port, 'web.test. A'))], ['192.0.2.2'])
})

test('a worker that ends is replaced by one with the Corefile in force, and its counts stay', async () => {
  const { pool, port, taken, errors, untilTaken, crash } = poolOf()
  await untilTaken(4)
  const before = await countOf(pool)
  const [victim = 0] = taken
  crash(victim)
  await untilTaken(5)
  assert.not.ok(taken.slice(0, 4).includes(taken[4] ?? 0))
  assert.match(errors.join(), 'told to crash')
  assert.equal([...(await askOften(port, 'web.test. A'))], ['192.0.2.2'])
  assert.is(await countOf(pool), before + 24)
})

test('a port of another program is refused, though it could be shared', async () => {
  const port = await freePort()
  const other = createSocket({ type: 'udp4', reusePort: true })
  other.bind(port, '127.0.0.1')
  await once(other, 'listening')
  const pool = new WorkerPool({
    workerCount: 2,
    entry: testWorkerEntry,
    setup: { logLevel: 'error', randomizesCase: false },
    source: new OneService(),
    logger: createLogger({ format: 'json', level: 'error' }, () => {}),
    log: () => {},
    clock: systemClock,
  })
  const message = await pool
    .take(parseCorefile(corefileOf(port, 'whoami')))
    .catch((error: Error) => error.message)
  assert.match(String(message), `DNS server on 127.0.0.1:${port}: the port is in use`)
  await pool.close()
  other.close()
})

test.run()
