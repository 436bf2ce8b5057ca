import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { listenHttp } from '../../src/observe/http-server.ts'
import { metricsRoutes } from '../../src/observe/metrics-routes.ts'
import { createProxyMetrics } from '../../src/observe/proxy-metrics.ts'

const test = suite('observe: the metrics server')
const loopback = { host: '127.0.0.1', port: 0 }

function pages() {
  const { registry } = createProxyMetrics()
  return metricsRoutes({ registry, configz: () => ({ mode: '' }), mode: () => 'nftables' })
}

async function get(
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: string }> {
  const server = await listenHttp('metrics server', loopback, pages())
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init)
    return { status: response.status, body: await response.text() }
  } finally {
    await server.close()
  }
}

const rows: readonly [string, number, string][] = [
  ['/healthz', 200, 'ok'],
  ['/proxyMode', 200, 'nftables'],
  ['/configz', 200, '{"kubeproxy.config.k8s.io":{"mode":""}}'],
  ['/metrics?x=1', 200, '# TYPE kubeproxy_sync_proxy_rules_duration_seconds histogram'],
  ['/debug/pprof/heap', 404, 'no profiling page'],
  ['/nothing', 404, '/nothing: no such page'],
]

for (const [path, status, text] of rows) {
  test(`GET ${path}`, async () => {
    const answer = await get(path)
    assert.is(answer.status, status)
    assert.match(answer.body, text)
  })
}

test('other methods are refused', async () => {
  assert.is((await get('/metrics', { method: 'POST' })).status, 405)
})

test('HEAD has no body', async () => {
  assert.equal(await get('/healthz', { method: 'HEAD' }), { status: 200, body: '' })
})

test('a page that fails is a 500 without detail', async () => {
  const server = await listenHttp('x', loopback, async () => {
    throw new Error('secret')
  })
  const response = await fetch(`http://127.0.0.1:${server.port}/`)
  assert.equal([response.status, await response.text()], [500, ''])
  await server.close()
})

test('a port in use is one line that says where and what to do', async () => {
  const server = await listenHttp('first', loopback, pages())
  try {
    await listenHttp('metrics server', server, pages())
    assert.unreachable()
  } catch (error) {
    const { message } = error as Error
    assert.match(message, `metrics server on 127.0.0.1:${server.port}: the port is in use`)
    assert.not.match(message, '\n')
  }
  await server.close()
})

test('an address that is not ours is told', async () => {
  const route = pages()
  const error = await listenHttp('x', { host: '192.0.2.77', port: 0 }, route).then(
    () => new Error('it listens'),
    (reason: Error) => reason,
  )
  assert.match(error.message, 'x on 192.0.2.77:0: this machine does not have the address')
})

test.run()
