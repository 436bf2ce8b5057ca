import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openUpstream } from '../../../src/dns/upstream/open-upstream.ts'
import { frame, StreamFrames } from '../../../src/dns/upstream/stream-frames.ts'
import type { Upstream } from '../../../src/dns/upstream/upstream.ts'
import { decodeMessage } from '../../../src/dns/wire/decode-message.ts'
import { encodeMessage } from '../../../src/dns/wire/encode-message.ts'
import { type Message, noFlags } from '../../../src/dns/wire/message.ts'
import { systemClock } from '../../../src/kube/clock.ts'
import { openReactor } from '../../../src/reactor/open-reactor.ts'
import { addressReply } from './faulty-server.ts'

interface Pem {
  readonly cert: string
  readonly key: string
}

/** A certificate for dns.test; undefined without openssl. */
function makeCertificate(): Pem | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'dns-tls-'))
  const path = (name: string): string => join(folder, name)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const names = ['-subj', '/CN=dns.test', '-addext', 'subjectAltName=DNS:dns.test', '-days', '2']
  try {
    const files = ['-keyout', path('key'), '-out', path('cert')]
    execFileSync('openssl', ['req', '-x509', ...key, ...names, ...files], { stdio: 'ignore' })
    return { cert: readFileSync(path('cert'), 'utf8'), key: readFileSync(path('key'), 'utf8') }
  } catch {
    return undefined
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const pem = makeCertificate()
const secure = suite('upstreams over TLS')

function secureTest(name: string, run: (pem: Pem) => Promise<void>): void {
  if (pem !== undefined) secure(name, () => run(pem))
  else {
    process.stdout.write(`# skipped: ${name}: openssl is not there\n`)
    secure.skip(name)
  }
}

const ending = new AbortController()
const reactor = openReactor({ engine: 'portable' }, ending.signal)

function open(transport: 'tls' | 'https', port: number, ca: string, servername: string): Upstream {
  return openUpstream(
    { transport, address: '127.0.0.1', port, path: transport === 'https' ? '/dns-query' : '' },
    {
      clock: systemClock,
      random: Math.random,
      reactor,
      expireMs: 1_000,
      tls: { servername, ca, cert: undefined, key: undefined },
      randomizesCase: false,
    },
  )
}

const query: Message = {
  id: 9,
  flags: { ...noFlags, rd: true },
  opcode: 0,
  rcode: 0,
  questions: [{ name: 'a.test.', type: 1, class: 1 }],
  answers: [],
  authority: [],
  additional: [],
  edns: undefined,
}

secureTest('DNS over TLS, with the name in the certificate checked', async ({ cert, key }) => {
  const server = createServer({ cert, key }, (socket) => {
    const frames = new StreamFrames()
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Uint8Array) => {
      for (const bytes of frames.push(chunk)) {
        socket.write(frame(encodeMessage(addressReply(decodeMessage(bytes)), 65_535)))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const good = open('tls', port, cert, 'dns.test')
  const bad = open('tls', port, cert, 'other.test')
  assert.is((await good.exchange(query, 'udp')).id, 9)
  assert.is(good.label, `tls://127.0.0.1:${port}`)
  const failed = await bad.exchange(query, 'udp').then(String, String)
  assert.match(failed, /altnames/)
  good.close()
  bad.close()
  await new Promise<void>((resolve) => server.close(() => resolve()))
})

secureTest('DNS over HTTPS, HTTP/2 and POST', async ({ cert, key }) => {
  const seen: string[] = []
  const server = createSecureServer({ cert, key }, (request, response) => {
    seen.push(
      `${request.httpVersion} ${request.method} ${request.url} ${request.headers['content-type']}`,
    )
    const chunks: Uint8Array[] = []
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    request.on('end', () => {
      const asked = decodeMessage(Buffer.concat(chunks))
      const isBad = seen.length > 1
      response.writeHead(isBad ? 503 : 200, { 'content-type': 'application/dns-message' })
      response.end(encodeMessage(addressReply(asked), 65_535))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const upstream = open('https', port, cert, 'dns.test')
  assert.is((await upstream.exchange(query, 'udp')).id, 9)
  assert.equal(seen, ['2.0 POST /dns-query application/dns-message'])
  assert.match(await upstream.exchange(query, 'udp').then(String, String), /HTTP status 503/)
  upstream.close()
  await new Promise<void>((resolve) => server.close(() => resolve()))
})

secure.after(async () => {
  ending.abort()
  await reactor.closed
})

secure.run()
