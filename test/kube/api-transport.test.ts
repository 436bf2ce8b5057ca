import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ApiTransport, type TransportOptions } from '../../src/kube/api-transport.ts'
import type { ClusterAccess } from '../../src/kube/cluster-access.ts'
import { readServerVersion } from '../../src/kube/read-server-version.ts'
import { Secret } from '../../src/kube/secret.ts'
import { StatusError } from '../../src/kube/status-error.ts'
import { TransportError } from '../../src/kube/transport-error.ts'
import { accessTo } from './access.ts'
import { type FakeApiServer, openFakeApiServer } from './fake-api-server.ts'
import { FakeClock } from './fake-clock.ts'

const test = suite('kube/api-transport')

const never = new AbortController().signal

async function withServer(run: (server: FakeApiServer) => Promise<void>): Promise<void> {
  const server = await openFakeApiServer()
  try {
    await run(server)
  } finally {
    await server.close()
  }
}

async function withTransport(
  access: ClusterAccess,
  options: TransportOptions,
  run: (transport: ApiTransport) => Promise<void>,
): Promise<void> {
  const transport = new ApiTransport(access, options)
  try {
    await run(transport)
  } finally {
    await transport.close()
  }
}

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'transport-'))
  try {
    await run(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The error of a promise that must reject. */
async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => assert.unreachable('no error') as never,
    (error: Error) => error,
  )
}

test('a path prefix of the server is kept, and the token is sent', async () => {
  await withServer(async (server) => {
    const access = accessTo(`${server.url}/k8s/clusters/c1`, { user: { token: new Secret('t1') } })
    await withTransport(access, {}, async (transport) => {
      const answer = transport.getJson('/version?x=1', never)
      const request = await server.next()
      assert.is(request.url.pathname, '/k8s/clusters/c1/version')
      assert.is(request.headers.authorization, 'Bearer t1')
      request.json({ major: '1' })
      assert.equal(await answer, { major: '1' })
    })
  })
})

test('impersonation is sent, groups one by one', async () => {
  await withServer(async (server) => {
    const impersonation = { 'impersonate-user': 'bob', 'impersonate-group': ['a', 'b'] }
    await withTransport(
      accessTo(server.url, { user: { impersonation } }),
      {},
      async (transport) => {
        const version = readServerVersion(transport, never)
        const request = await server.next()
        assert.is(request.headers['impersonate-user'], 'bob')
        assert.is(request.headers['impersonate-group'], 'a, b')
        request.json({ gitVersion: 'v1.36.2' })
        assert.is(await version, 'v1.36.2')
      },
    )
  })
})

test('a user name and password are sent as Basic', async () => {
  await withServer(async (server) => {
    const basic = { username: 'u', password: new Secret('p') }
    await withTransport(accessTo(server.url, { user: { basic } }), {}, async (transport) => {
      const answer = transport.getJson('/', never)
      const request = await server.next()
      assert.is(request.headers.authorization, 'Basic dTpw')
      request.json({})
      await answer
    })
  })
})

test('an error status is typed, with the reason and the time to wait', async () => {
  await withServer(async (server) => {
    await withTransport(accessTo(server.url), {}, async (transport) => {
      const failed = rejection(transport.getJson('/api/v1/services?limit=5', never))
      const status = { kind: 'Status', code: 429, reason: 'TooManyRequests', message: 'slow\ndown' }
      ;(await server.next()).json(status, 429, { 'retry-after': '2' })
      const error = await failed
      assert.instance(error, StatusError)
      const { status: code, reason, retryAfterMs } = error as StatusError
      assert.equal([code, reason, retryAfterMs], [429, 'TooManyRequests', 2000])
      const request = `GET ${server.url}/api/v1/services`
      assert.is(error.message, `${request}: 429 TooManyRequests: slow down`)
    })
  })
})

test('a proxy page instead of a status is an error without its text', async () => {
  await withServer(async (server) => {
    await withTransport(accessTo(server.url), {}, async (transport) => {
      const failed = rejection(transport.getJson('/', never))
      ;(await server.next()).json('<html>', 502)
      assert.match((await failed).message, /: 502 $/)
    })
  })
})

test('an unreachable server is named with what to do', async () => {
  const closed = await openFakeApiServer()
  await closed.close()
  await withTransport(accessTo(closed.url), {}, async (transport) => {
    const error = await rejection(transport.getJson('/version', never))
    assert.instance(error, TransportError)
    assert.match(error.message, /ECONNREFUSED .*; is the server up, .* in test\.kubeconfig/)
  })
})

test('a silent server is given up', async () => {
  await withServer(async (server) => {
    await withTransport(accessTo(server.url), { requestTimeoutMs: 50 }, async (transport) => {
      const error = await rejection(transport.getJson('/version', never))
      assert.match(error.message, /Headers Timeout/)
    })
    const clock = new FakeClock()
    await withTransport(accessTo(server.url), { clock }, async (transport) => {
      await server.next()
      const stalled = clock.scheduled(30_000)
      const failed = rejection(transport.getJson('/version', never))
      ;(await server.next()).open()
      await stalled
      clock.advance(30_000)
      assert.match((await failed).message, /no more of the answer within 30000 ms/)
    })
  })
})

test('lines arrive whole, however they were sent; too long ones end the stream', async () => {
  await withServer(async (server) => {
    const options = { maxLineBytes: 1_000 }
    await withTransport(accessTo(server.url), options, async (transport) => {
      const opening = transport.openLines('/watch', never)
      const request = await server.next()
      request.open()
      const batches = (await opening)[Symbol.asyncIterator]()
      request.write('one\ntw')
      assert.equal((await batches.next()).value, ['one'])
      request.write('o\n\nthree\n')
      assert.equal((await batches.next()).value, ['two', 'three'])
      request.write('x'.repeat(1_001))
      const error = await rejection(batches.next())
      assert.match(error.message, /a line of more than 1000 bytes/)
    })
  })
})

test('a slow reader slows the server down', async () => {
  await withServer(async (server) => {
    await withTransport(accessTo(server.url), {}, async (transport) => {
      const opening = transport.openLines('/watch', never)
      const request = await server.next()
      request.open()
      const line = `${'x'.repeat(65_535)}\n`
      const lineCount = 1_024
      let sentCount = 0
      let isDone = false
      const pump = (): void => {
        while (sentCount < lineCount) {
          sentCount++
          if (request.write(line)) continue
          request.once('drain', pump)
          return
        }
        isDone = true
        request.end()
      }
      const batches = (await opening)[Symbol.asyncIterator]()
      pump()
      await batches.next()
      // Nobody reads on: only the buffers of the sockets fill. There is no event for "nothing
      // more".
      await new Promise((resolve) => setTimeout(resolve, 300))
      assert.not.ok(isDone)
      assert.ok(sentCount < lineCount / 2, `${sentCount} of ${lineCount} lines were taken`)
      let readCount = 1
      for (let batch = await batches.next(); !batch.done; batch = await batches.next()) {
        readCount += batch.value.length
      }
      assert.is(readCount, lineCount)
    })
  })
})

test('a reader that stops in the middle closes the connection', async () => {
  await withServer(async (server) => {
    await withTransport(accessTo(server.url), {}, async (transport) => {
      const opening = transport.openLines('/watch', never)
      const request = await server.next()
      const { promise, resolve } = Promise.withResolvers<void>()
      request.once('close', resolve)
      request.open()
      request.write('one\n')
      for await (const lines of await opening) {
        assert.equal(lines, ['one'])
        break
      }
      await promise
    })
  })
})

test('a token file is read again when it is old, and at once after a 401', async () => {
  await withServer(async (server) => {
    await withFolder(async (folder) => {
      const tokenFile = join(folder, 'token')
      writeFileSync(tokenFile, 'first\n')
      const clock = new FakeClock()
      await withTransport(
        accessTo(server.url, { user: { tokenFile } }),
        { clock },
        async (transport) => {
          const ask = async (expected: string, status = 200): Promise<void> => {
            const request = await server.next()
            assert.is(request.headers.authorization, `Bearer ${expected}`)
            request.json({ code: status }, status)
          }
          const first = transport.getJson('/', never)
          await ask('first')
          await first
          writeFileSync(tokenFile, 'second')
          const second = transport.getJson('/', never)
          await ask('first')
          await second
          clock.advance(10_000)
          const third = transport.getJson('/', never)
          await ask('second')
          await third
          writeFileSync(tokenFile, 'third')
          const fourth = transport.getJson('/', never)
          await ask('second', 401)
          await ask('third')
          await fourth
          rmSync(tokenFile)
          clock.advance(10_000)
          const fifth = transport.getJson('/', never)
          await ask('third')
          await fifth
        },
      )
    })
  })
})

test('a plugin gives a token, which is kept until it ends or is refused', async () => {
  await withServer(async (server) => {
    await withFolder(async (folder) => {
      const command = join(folder, 'plugin.sh')
      writeFileSync(
        command,
        `#!/bin/sh
echo run >> "$COUNT_FILE"
n=$(wc -l < "$COUNT_FILE" | tr -d ' ')
case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 3 ;; esac
echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":'
echo '{"token":"'$1-$n'","expirationTimestamp":"1970-01-01T01:00:00Z"}}'
`,
      )
      chmodSync(command, 0o755)
      const countFile = join(folder, 'count')
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1' as const,
        command,
        args: ['tok'],
        env: [{ name: 'COUNT_FILE', value: new Secret(countFile) }],
        provideClusterInfo: true,
        installHint: '',
      }
      const clock = new FakeClock()
      const options = { clock, environment: { PATH: process.env.PATH } }
      await withTransport(accessTo(server.url, { user: { exec } }), options, async (transport) => {
        const ask = async (expected: string, status = 200): Promise<void> => {
          const request = await server.next()
          assert.is(request.headers.authorization, `Bearer ${expected}`)
          request.json({ code: status }, status)
        }
        const both = Promise.all([transport.getJson('/', never), transport.getJson('/', never)])
        await ask('tok-1')
        await ask('tok-1')
        await both
        const refused = transport.getJson('/', never)
        await ask('tok-1', 401)
        await ask('tok-2')
        await refused
        // The clock stands at 1,000 s and the token ends at 3,600 s.
        clock.advance(2_590_000)
        const ended = transport.getJson('/', never)
        await ask('tok-3')
        await ended
        assert.is(readFileSync(countFile, 'utf8').split('\n').length - 1, 3)
      })
    })
  })
})

test('a plugin that does not work is named, its output never', async () => {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1' as const,
    command: '/nonexistent/plugin',
    args: [],
    env: [],
    provideClusterInfo: false,
    installHint: 'get it from the cloud',
  }
  const environment = { PATH: process.env.PATH }
  const failure = async (more: object): Promise<string> => {
    const access = accessTo('http://127.0.0.1:1', { user: { exec: { ...exec, ...more } } })
    const transport = new ApiTransport(access, { environment })
    return (await rejection(transport.getJson('/', never))).message
  }
  assert.is(
    await failure({}),
    'credential plugin /nonexistent/plugin: cannot be started (ENOENT); get it from the cloud',
  )
  assert.match(
    await failure({ command: 'false' }),
    /^credential plugin false: exit status 1; run it/,
  )
  const printed = await failure({ command: 'echo', args: ['{"status":{"token":5,"x":"s3cret"}}'] })
  assert.match(
    printed,
    /^credential plugin echo: .*kind: got "\(hidden\)", expected ExecCredential/,
  )
  assert.not.match(printed, /s3cret/)
})

test('a proxy is used when the access names one or the environment does', async () => {
  const seen: string[] = []
  const proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.end('{}')
  })
  proxy.listen(0, '127.0.0.1')
  await new Promise((resolve) => proxy.once('listening', resolve))
  const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const access = accessTo('http://api.invalid:80', { proxyUrl: new Secret(proxyUrl) })
  await withTransport(access, {}, async (transport) => {
    assert.equal(await transport.getJson('/version', never), {})
  })
  assert.is(seen.length, 1)
  assert.match(seen[0] ?? '', /api\.invalid/)
  const environment = { HTTP_PROXY: proxyUrl }
  await withTransport(accessTo('http://api.invalid:80'), { environment }, async (transport) => {
    assert.equal(await transport.getJson('/version', never), {})
  })
  assert.is(seen.length, 2)
  proxy.closeAllConnections()
  proxy.close()
})

test.run()
