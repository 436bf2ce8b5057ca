import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ApiSource } from '../../src/kube/api-source.ts'
import { ApiTransport } from '../../src/kube/api-transport.ts'
import type { ClusterAccess, User } from '../../src/kube/cluster-access.ts'
import { Secret } from '../../src/kube/secret.ts'
import { Store } from '../../src/kube/store.ts'
import { accessTo } from './access.ts'
import { type FakeServerOptions, openFakeApiServer } from './fake-api-server.ts'
import { FakeClock } from './fake-clock.ts'

const test = suite('kube/api-transport-tls')

const never = new AbortController().signal

/** Why the certificates cannot be made, or undefined. */
function missingOpenssl(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'the openssl command is not there'
  }
}

const missing = missingOpenssl()
const folder = mkdtempSync(join(tmpdir(), 'tls-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

function tlsTest(name: string, run: () => Promise<void>): void {
  if (missing === undefined) test(name, run)
  else {
    process.stdout.write(`# skipped: ${name}: ${missing}\n`)
    test.skip(name, run)
  }
}

const path = (name: string): string => join(folder, name)
const read = (name: string): string => readFileSync(path(name), 'utf8')
const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { stdio: 'ignore' })
}

/** Makes `NAME.crt` and `NAME.key`, signed by `authority` unless that is the name itself. */
function makeCertificate(name: string, authority: string, subject: string, altName: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const files = ['-keyout', path(`${name}.key`), '-subj', subject]
  if (name === authority) {
    openssl('req', '-x509', ...key, ...files, '-out', path(`${name}.crt`), '-days', '2')
    return
  }
  openssl('req', ...key, ...files, '-out', path(`${name}.csr`))
  writeFileSync(path(`${name}.ext`), `subjectAltName=${altName}\n`)
  const signer = ['-CA', path(`${authority}.crt`), '-CAkey', path(`${authority}.key`)]
  const signed = ['-out', path(`${name}.crt`), '-extfile', path(`${name}.ext`), '-days', '2']
  openssl('x509', '-req', '-in', path(`${name}.csr`), ...signer, '-CAcreateserial', ...signed)
}

if (missing === undefined) {
  makeCertificate('ca', 'ca', '/CN=test-ca', '')
  makeCertificate('other-ca', 'other-ca', '/CN=other-ca', '')
  makeCertificate('server', 'ca', '/CN=server', 'IP:127.0.0.1,DNS:kubernetes.default')
  makeCertificate('named', 'ca', '/CN=named', 'DNS:kubernetes.default')
  makeCertificate('client', 'ca', '/CN=client', 'DNS:client')
  makeCertificate('client2', 'ca', '/CN=client2', 'DNS:client2')
}

const authority = { kind: 'file', path: path('ca.crt') } as const

function serverTls(name = 'server'): NonNullable<FakeServerOptions['tls']> {
  return { cert: read(`${name}.crt`), key: read(`${name}.key`) }
}

type Access = Partial<Omit<ClusterAccess, 'user'>> & { readonly user?: Partial<User> }

/** Sends one request to a server; gives the HTTP version, or the message of the error. */
async function outcome(
  options: FakeServerOptions,
  access: Access,
  allowH2 = false,
): Promise<string> {
  const server = await openFakeApiServer(options)
  const transport = new ApiTransport(accessTo(server.url, access), { allowH2 })
  let version = ''
  void server.next().then((request) => {
    version = request.httpVersion
    request.json({})
  })
  try {
    await transport.getJson('/version', never)
    return version
  } catch (error) {
    return (error as Error).message
  } finally {
    await transport.close()
    await server.close()
  }
}

tlsTest('the authority of the access is the one that counts', async () => {
  const tls = serverTls()
  assert.is(await outcome({ tls }, { authority }), '1.1')
  assert.match(
    await outcome({ tls }, { authority: { kind: 'file', path: path('other-ca.crt') } }),
    /; set certificate-authority in test\.kubeconfig/,
  )
  assert.match(await outcome({ tls }, {}), /; set certificate-authority in/)
  assert.is(await outcome({ tls }, { isInsecure: true }), '1.1')
  const data = { kind: 'data', pem: new Secret(read('ca.crt')) } as const
  assert.is(await outcome({ tls }, { authority: data }), '1.1')
})

tlsTest('tls-server-name is expected instead of the host', async () => {
  const tls = serverTls('named')
  assert.match(await outcome({ tls }, { authority }), /; set tls-server-name in test\.kubeconfig/)
  assert.is(await outcome({ tls }, { authority, serverName: 'kubernetes.default' }), '1.1')
})

tlsTest('HTTP/2 is spoken when it is allowed', async () => {
  const tls = serverTls()
  assert.is(await outcome({ tls, isHttp2: true }, { authority }, true), '2.0')
  assert.is(await outcome({ tls }, { authority }, true), '1.1')
})

tlsTest('a client certificate is presented, and its replacement too', async () => {
  const server = await openFakeApiServer({ tls: { ...serverTls(), ca: read('ca.crt') } })
  const clock = new FakeClock()
  const certificate = { kind: 'file', path: path('rotated.crt') } as const
  const key = { kind: 'file', path: path('rotated.key') } as const
  const access = accessTo(server.url, {
    authority,
    user: { clientCertificate: { certificate, key } },
  })
  const transport = new ApiTransport(access, { clock })
  const ask = async (): Promise<string> => {
    const answer = transport.getJson('/', never)
    const refused = answer.then(() => assert.unreachable() as never)
    const request = await Promise.race([server.next(), refused])
    request.json({})
    await answer
    return request.clientName
  }
  try {
    for (const name of ['client', 'client2']) {
      writeFileSync(certificate.path, read(`${name}.crt`))
      writeFileSync(key.path, read(`${name}.key`))
      clock.advance(10_000)
      assert.is(await ask(), name)
    }
    const anonymous = new ApiTransport(accessTo(server.url, { authority }))
    await anonymous.getJson('/', never).then(
      () => assert.unreachable(),
      (error: Error) =>
        assert.match(error.message, /certificate required|alert|closed|ECONNRESET/i),
    )
    await anonymous.close()
  } finally {
    await transport.close()
    await server.close()
  }
})

tlsTest('a proxy is asked for a tunnel, and the server behind it is checked', async () => {
  const server = await openFakeApiServer({ tls: serverTls('named') })
  const tunnels: string[] = []
  const proxy = createServer()
  proxy.on('connect', (request, client) => {
    tunnels.push(`${request.url} ${request.headers['proxy-authorization']}`)
    const upstream = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
    client.on('close', () => upstream.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo
  const proxyUrl = new Secret(`http://user:pass@127.0.0.1:${port}`)
  const transport = new ApiTransport(
    accessTo('https://kubernetes.default:6443', { authority, proxyUrl }),
  )
  try {
    const answer = transport.getJson('/version', never)
    const refused = answer.then(() => assert.unreachable() as never)
    ;(await Promise.race([server.next(), refused])).json({ ok: true })
    assert.equal(await answer, { ok: true })
    assert.equal(tunnels, ['kubernetes.default:6443 Basic dXNlcjpwYXNz'])
  } finally {
    await transport.close()
    await server.close()
    proxy.close()
  }
})

tlsTest('three watches share one HTTP/2 connection', async () => {
  const server = await openFakeApiServer({ tls: serverTls(), isHttp2: true })
  const transport = new ApiTransport(accessTo(server.url, { authority }), { allowH2: true })
  const source = new ApiSource(transport)
  const abort = new AbortController()
  const kinds = ['Service', 'EndpointSlice', 'Node'] as const
  const stores = kinds.map(() => new Store<never>())
  const watches = kinds.map((kind, index) => {
    const store = stores[index] ?? new Store<never>()
    return source.watch(kind, {}, store as never, abort.signal)
  })
  try {
    for (const _ of kinds) {
      const request = await server.next()
      assert.is(request.httpVersion, '2.0')
      request.open()
      request.send({
        type: 'BOOKMARK',
        object: {
          metadata: {
            resourceVersion: '5',
            annotations: { 'k8s.io/initial-events-end': 'true' },
          },
        },
      })
    }
    await Promise.all(stores.map((store) => store.synced))
    assert.is(server.connectionCount, 1)
  } finally {
    abort.abort()
    await Promise.all(watches)
    await transport.close()
    await server.close()
  }
})

test.run()
