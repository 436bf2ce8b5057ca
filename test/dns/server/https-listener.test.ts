import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, constants, type IncomingHttpHeaders } from 'node:http2'
import { request } from 'node:https'
import process from 'node:process'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findBinary } from '../../../scripts/support/find-binary.ts'
import type { PacketResponder } from '../../../src/dns/answer/packet-responder.ts'
import { listenHttps } from '../../../src/dns/server/https-listener.ts'
import { secureSettings } from '../../../src/dns/server/secure-settings.ts'
import type { OpenListener } from '../../../src/dns/server/udp-listener.ts'
import { decodeMessage } from '../../../src/dns/wire/decode-message.ts'
import { queryPacket } from '../answer/responder-fixture.ts'
import { freePort, type RunningServer, startServer } from './running-server.ts'
import { makeCertificates } from './test-certificates.ts'

const test = suite('dns/server/https-listener')
const certificates = makeCertificates()
const kdig = findBinary('kdig')
let server: RunningServer | undefined
let port = 0

if (certificates === undefined) {
  process.stdout.write('# skipped: DNS over HTTPS: openssl is not there\n')
} else {
  registerLifetime()
  registerRequests()
  registerConnections()
  registerSlowClients()
}

/** An answer with its status. */
interface HttpsAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly type?: string
  readonly body?: Uint8Array
}

function registerLifetime(): void {
  test.before(async () => {
    port = await freePort()
    server = await startServer(corefile('192.0.2.1'))
  })
  test.after(async () => {
    await server?.end()
    certificates?.remove()
  })
}

function registerRequests(): void {
  for (const [protocol, ask] of [
    ['HTTP/2', askHttp2],
    ['HTTP/1.1', askHttp1],
  ] as const) {
    test(`${protocol}: GET and POST are answered, with the time that caches may keep it`, async () => {
      const query = queryPacket('web.test. A', { id: 0 })
      const get = { method: 'GET', path: `/dns-query?dns=${encoded('web.test. A')}` }
      const post = { method: 'POST', path: '/dns-query', type: 'application/dns-message' }
      for (const asked of [get, { ...post, body: query }]) {
        const { status, headers, body } = await ask(asked)
        assert.is(status, 200)
        assert.is(headers['content-type'], 'application/dns-message')
        assert.is(headers['cache-control'], 'max-age=30')
        const [record] = decodeMessage(body).answers
        assert.equal(record?.data, { kind: 'A', address: '192.0.2.1' })
      }
    })

    for (const { title, asked, status } of refusals()) {
      test(`${protocol}: ${title}: ${status}`, async () => {
        const answer = await ask(asked)
        assert.is(answer.status, status)
        assert.match(answer.body.toString(), /^.+\n$/)
        if (status === 405) assert.is(answer.headers.allow, 'GET, POST')
      })
    }
  }
}

function registerConnections(): void {
  test('many requests share a connection', async () => {
    const session = connect(`https://127.0.0.1:${port}`, { ca: certificates?.text, ...named })
    const path = `/dns-query?dns=${encoded('web.test. A')}`
    const asked = Array.from({ length: 300 }, () => askOver(session, { method: 'GET', path }))
    const statuses = new Set((await Promise.all(asked)).map(({ status }) => status))
    assert.equal([...statuses], [200])
    session.close()
  })

  if (kdig === undefined) process.stdout.write('# skipped: kdig +https: kdig is not there\n')
  else {
    for (const way of ['+https', '+https-get']) {
      test(`kdig ${way} gets the answer`, async () => {
        const words = [
          '@127.0.0.1',
          '-p',
          `${port}`,
          '+https=/dns-query',
          way,
          '+short',
          'web.test',
        ]
        const { stdout } = await promisify(execFile)(kdig, words, { timeout: 10_000 })
        assert.is(stdout.trim(), '192.0.2.1')
      })
    }
  }

  test('a reload changes answers of connections that are open', async () => {
    const session = connect(`https://127.0.0.1:${port}`, { ca: certificates?.text, ...named })
    const path = `/dns-query?dns=${encoded('web.test. A')}`
    await askOver(session, { method: 'GET', path })
    await server?.change(corefile('192.0.2.2'))
    const { body } = await askOver(session, { method: 'GET', path })
    assert.equal(decodeMessage(body).answers[0]?.data, { kind: 'A', address: '192.0.2.2' })
    session.close()
  })

  test('a listener without certificate is refused', async () => {
    const message = await startServer(`https://.:${port} {\n bind 127.0.0.1\n whoami\n}\n`).catch(
      (error: Error) => error.message,
    )
    assert.match(String(message), /https:.*no tls directive with certificate and key/)
  })
}

function registerSlowClients(): void {
  for (const protocol of ['HTTP/2', 'HTTP/1.1'] as const) {
    test(`${protocol}: a client that does not end its body is cut off`, async () => {
      const { listener, port: own } = await listenImpatiently()
      const head = { 'content-type': 'application/dns-message' }
      if (protocol === 'HTTP/2') {
        const session = connect(`https://127.0.0.1:${own}`, { ca: certificates?.text, ...named })
        const stream = session.request({ ':method': 'POST', ':path': '/dns-query', ...head })
        stream.on('error', () => {})
        stream.write('abc')
        await once(stream, 'close')
        session.close()
      } else {
        const place = { host: '127.0.0.1', port: own, path: '/dns-query', agent: false }
        const tls = { ca: certificates?.text, ...named }
        const asking = request({ ...place, ...tls, method: 'POST', headers: head })
        asking.on('error', () => {})
        asking.write('abc')
        // The error comes first, and would end a wait by `once`.
        await new Promise((resolve) => asking.on('close', resolve))
      }
      await listener.close()
    })
  }
}

/** A listener that waits for nobody, and is never asked. */
async function listenImpatiently(): Promise<{ listener: OpenListener; port: number }> {
  const { certificate = '', key = '' } = certificates ?? {}
  const tls = { certificate, key, authority: undefined, clientAuth: 'nocert' } as const
  const secure = secureSettings('https://:443', tls)
  const timeouts = { readMs: 300, writeMs: 300, idleMs: 300 }
  const place = { host: '127.0.0.1', port: await freePort(), isShared: false }
  const seat = { responder: undefined as unknown as PacketResponder }
  const listener = await listenHttps(place, seat, { secure, timeouts }, () => {})
  return { listener, port: place.port }
}

function corefile(address: string): string {
  const tls = `tls ${certificates?.certificate} ${certificates?.key}`
  const hosts = `hosts {\n  ${address} web.test\n  ttl 30\n }`
  const drops = 'acl dropped.test {\n  drop\n }'
  return `https://.:${port} {\n bind 127.0.0.1\n ${tls}\n ${drops}\n ${hosts}\n}\n`
}

function refusals(): readonly { title: string; asked: Asked; status: number }[] {
  const type = 'application/dns-message'
  const query = queryPacket('web.test. A')
  const get = (parameters: string): Asked => ({ method: 'GET', path: `/dns-query${parameters}` })
  const post = (body: Uint8Array, contentType: string): Asked => ({
    method: 'POST',
    path: '/dns-query',
    type: contentType,
    body,
  })
  const response = Buffer.from(query)
  response[2] = 0x80
  const dropped = encoded('dropped.test. A')
  return [
    { title: 'another path', asked: { method: 'GET', path: '/' }, status: 404 },
    { title: 'another method', asked: { method: 'PUT', path: '/dns-query' }, status: 405 },
    { title: 'another media type', asked: post(query, 'text/plain'), status: 415 },
    { title: 'a body of 64 KiB', asked: post(Buffer.alloc(65_536), type), status: 413 },
    { title: 'a short body', asked: post(query.subarray(0, 11), type), status: 400 },
    { title: 'a response', asked: post(response, type), status: 400 },
    { title: 'no query', asked: get(''), status: 400 },
    { title: 'two queries', asked: get('?dns=AAAA&dns=AAAA'), status: 400 },
    { title: 'padded base64', asked: get('?dns=AAAAAAAAAAAAAAAAAAAAAA=='), status: 400 },
    { title: 'a dropped query', asked: get(`?dns=${dropped}`), status: 500 },
  ]
}

function encoded(question: string): string {
  return Buffer.from(queryPacket(question, { id: 0 })).toString('base64url')
}

const named = { servername: 'dns.test' }

async function askHttp2(asked: Asked): Promise<HttpsAnswer> {
  const session = connect(`https://127.0.0.1:${port}`, { ca: certificates?.text, ...named })
  try {
    return await askOver(session, asked)
  } finally {
    session.close()
  }
}

async function askOver(session: ReturnType<typeof connect>, asked: Asked): Promise<HttpsAnswer> {
  const { method, path, type, body } = asked
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: method,
    [constants.HTTP2_HEADER_PATH]: path,
    ...(type !== undefined && { 'content-type': type }),
  })
  stream.end(body)
  const { promise, resolve, reject } = Promise.withResolvers<IncomingHttpHeaders>()
  stream.once('response', resolve)
  stream.once('error', reject)
  const headers = await promise
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return { status: Number(headers[':status']), headers, body: Buffer.concat(chunks) }
}

function askHttp1({ method, path, type, body }: Asked): Promise<HttpsAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpsAnswer>()
  const headers = {
    ...(type !== undefined && { 'content-type': type }),
    ...(body !== undefined && { 'content-length': body.length }),
  }
  const place = { host: '127.0.0.1', port, path, method, headers, agent: false }
  const asking = request({ ...place, ca: certificates?.text, ...named }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => {
      const { statusCode = 0, headers: answered } = response
      resolve({ status: statusCode, headers: answered, body: Buffer.concat(chunks) })
    })
  })
  asking.on('error', reject)
  asking.end(body)
  return promise
}

test.run()
