import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeMessage } from '../../../src/dns/wire/decode-message.ts'
import { encodeMessage } from '../../../src/dns/wire/encode-message.ts'
import type { Kind, Resources } from '../../../src/kube/resources.ts'
import type { ClusterSource, Sink } from '../../../src/kube/store.ts'
import { parseCluster } from '../../support/plan-fixture.ts'
import { queryPacket } from '../answer/responder-fixture.ts'
import { freePort, type RunningServer, startServer } from './running-server.ts'

const test = suite('dns/server/serve-dns')

const cluster = parseCluster('service web 10.96.0.10 http:80/TCP')
const meta = { labels: {}, annotations: {}, resourceVersion: '1' }
const namespace = { kind: 'Namespace', namespace: '', name: 'ns', ...meta } as const

/** Gives one service and its namespace, and its sink to change it. */
class OneService implements ClusterSource {
  services: Sink<Resources['Service']> | undefined

  async watch<K extends Kind>(
    kind: K,
    _selection: unknown,
    sink: Sink<Resources[K]>,
    signal: AbortSignal,
  ): Promise<void> {
    const objects: { [P in Kind]?: readonly Resources[P][] } = {
      Service: cluster.services,
      Namespace: [namespace],
    }
    if (kind === 'Service') this.services = sink as Sink<Resources[Kind]> as typeof this.services
    sink.replace((objects[kind] ?? []) as Resources[K][])
    if (!signal.aborted) await once(signal, 'abort')
  }
}

async function start(more = ''): Promise<RunningServer & { port: number; source: OneService }> {
  const port = await freePort()
  const text = `.:${port} {\n bind 127.0.0.1\n kubernetes cluster.local\n ${more}\n}\n`
  const source = new OneService()
  return { port, source, ...(await startServer(text, { source })) }
}

test('a resolver gets addresses, and new ones right after a change', async () => {
  const { port, source, end } = await start()
  const resolver = new Resolver()
  resolver.setServers([`127.0.0.1:${port}`])
  const name = 'web.ns.svc.cluster.local'
  assert.equal(await resolver.resolve4(name), ['10.96.0.10'])
  assert.equal(await resolver.resolve4(name), ['10.96.0.10'])
  const [service] = cluster.services
  assert.ok(service)
  source.services?.set({ ...service, clusterIPs: ['10.96.0.77'], resourceVersion: '2' })
  assert.equal(await resolver.resolve4(name), ['10.96.0.77'])
  source.services?.delete('ns/web')
  const error = await resolver.resolve4(name).catch((reason: NodeJS.ErrnoException) => reason.code)
  assert.is(error, 'ENOTFOUND')
  await end()
})

test('queries on one TCP connection are all answered, split as they may be', async () => {
  const { port, end } = await start()
  const frames = [1, 2, 3].map((id) => {
    const packet = queryPacket('web.ns.svc.cluster.local. A', { id })
    return Buffer.concat([Buffer.of(packet.length >> 8, packet.length & 0xff), packet])
  })
  const bytes = Buffer.concat(frames)
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  socket.write(bytes.subarray(0, 5))
  await new Promise(setImmediate)
  socket.write(bytes.subarray(5))
  const ids: number[] = []
  let received = Buffer.alloc(0)
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      ids.push(decodeMessage(received.subarray(2, end)).id)
      received = received.subarray(end)
    }
    if (ids.length === 3) break
  }
  assert.equal(ids, [1, 2, 3])
  socket.destroy()
  await end()
})

test('a new Corefile is taken without a lost query, a wrong one changes nothing', async () => {
  const port = await freePort()
  const text = (body: string): string => `.:${port} {\n bind 127.0.0.1\n ${body}\n}\n`
  const hosts = (address: string): string => text(`hosts {\n  ${address} web.test\n }`)
  const { change, errors, end } = await startServer(hosts('192.0.2.1'))
  const resolver = new Resolver({ timeout: 2000, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  let hasEnded = false
  const answers: string[] = []
  const asking = (async () => {
    while (!hasEnded) answers.push(...(await resolver.resolve4('web.test')))
  })()
  for (const last of [2, 3, 4]) await change(hosts(`192.0.2.${last}`))
  assert.equal(await resolver.resolve4('web.test'), ['192.0.2.4'])
  await change(text('hots'))
  hasEnded = true
  await asking
  assert.ok(answers.length > 0)
  assert.equal([...answers].sort(), answers)
  assert.equal(await resolver.resolve4('web.test'), ['192.0.2.4'])
  assert.is(errors.length, 1)
  assert.match(errors.join(), /test:3:2: .*hots.*hosts/)
  await end()
})

test('pages stay open through a reload, and show the Corefile in force', async () => {
  const [port, pagePort, otherPort] = [await freePort(), await freePort(), await freePort()]
  const text = (more: string): string => `.:${port} {\n bind 127.0.0.1\n whoami\n ${more}\n}\n`
  const health = `health 127.0.0.1:${pagePort}`
  const server = await startServer(text(health))
  const socket = connect(pagePort, '127.0.0.1')
  await once(socket, 'connect')
  await server.change(text(`${health}\n ready 127.0.0.1:${pagePort}`))
  socket.write('GET /ready HTTP/1.1\r\nhost: here\r\n\r\n')
  const [answer] = await once(socket, 'data')
  assert.match(String(answer), /^HTTP\/1\.1 200 /)
  socket.destroy()

  // A page that cannot be had leaves everything as it was.
  const taken = createServer().listen(otherPort, '127.0.0.1')
  await once(taken, 'listening')
  await server.change(text(`${health}\n prometheus 127.0.0.1:${otherPort}\n hosts /nowhere`))
  assert.match(server.errors.join(), `metrics page on 127.0.0.1:${otherPort}: the port is in use`)
  const ready = await fetch(`http://127.0.0.1:${pagePort}/ready`)
  assert.is(ready.status, 200)
  taken.close()
  await server.end()
})

test('letters of forwarded names are random when that is asked for', async () => {
  const asked: string[] = []
  const upstream = createSocket('udp4')
  upstream.on('message', (packet, peer) => {
    const query = decodeMessage(packet)
    asked.push(query.questions[0]?.name ?? '')
    const reply = encodeMessage({ ...query, flags: { ...query.flags, qr: true } }, 512)
    upstream.send(reply, peer.port, peer.address)
  })
  upstream.bind(0, '127.0.0.1')
  await once(upstream, 'listening')
  const port = await freePort()
  const forward = `forward . 127.0.0.1:${upstream.address().port}`
  const text = `.:${port} {\n bind 127.0.0.1\n ${forward}\n}\n`
  const { end } = await startServer(text, { randomizesCase: true })
  const resolver = new Resolver()
  resolver.setServers([`127.0.0.1:${port}`])
  const name = 'a-name-with-so-many-letters-that-chance-is-no-excuse.test'
  const code = await resolver.resolve4(name).catch((error: NodeJS.ErrnoException) => error.code)
  assert.is(code, 'ENODATA')
  assert.is(asked[0]?.toLowerCase(), `${name}.`)
  assert.is.not(asked[0], `${name}.`)
  await end()
  upstream.close()
})

test('an address that is taken is named, with what to do', async () => {
  const first = await start()
  const text = `.:${first.port} {\n bind 127.0.0.1\n whoami\n}\n`
  const message = await startServer(text).catch((error: Error) => error.message)
  assert.match(String(message), `DNS server on 127.0.0.1:${first.port}: the port is in use`)
  await first.end()
})

test.run()
