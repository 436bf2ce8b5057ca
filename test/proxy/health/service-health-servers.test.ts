import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type HttpAnswer, type HttpRoute, listenHttp } from '../../../src/observe/http-server.ts'
import { serviceHealthAnswer } from '../../../src/proxy/health/service-health-answer.ts'
import { ServiceHealthServers } from '../../../src/proxy/health/service-health-servers.ts'

const test = suite('proxy/health/service-health-servers')

interface World {
  readonly servers: ServiceHealthServers
  /** What was opened (`+`), closed (`-`) and refused (`!`). */
  readonly steps: string[]
  /** Ports that cannot be bound. */
  readonly taken: Set<number>
  answer(port: number): HttpAnswer | undefined
  isProxyHealthy: boolean
}

function start(hosts: readonly string[]): World {
  const routes = new Map<number, HttpRoute>()
  const steps: string[] = []
  const taken = new Set<number>()
  const world: World = {
    steps,
    taken,
    isProxyHealthy: true,
    answer: (port) => routes.get(port)?.('/') as HttpAnswer | undefined,
    servers: new ServiceHealthServers(
      {
        async listen(host, port, route) {
          if (taken.has(port)) throw new Error('the port is in use')
          steps.push(`+${host}:${port}`)
          routes.set(port, route)
          return {
            host,
            port,
            async close() {
              steps.push(`-${host}:${port}`)
            },
          }
        },
        isProxyHealthy: () => world.isProxyHealthy,
        failed: (service, port) => steps.push(`!${service}:${port}`),
      },
      hosts,
    ),
  }
  return world
}

test('a new count opens nothing', async () => {
  const { servers, steps, answer } = start(['10.0.0.1', 'fd00::1'])
  servers.set('a/b', { port: 30_000, localEndpoints: 1 })
  servers.set('a/b', { port: 30_000, localEndpoints: 0 })
  await servers.settled()
  assert.equal(steps, ['+10.0.0.1:30000', '+fd00::1:30000'])
  assert.is(answer(30_000)?.status, 503)
  servers.set('a/b', { port: 30_000, localEndpoints: 2 })
  assert.is(answer(30_000)?.status, 200)
})

test('a new port moves the server, a removal closes it', async () => {
  const { servers, steps } = start(['10.0.0.1'])
  servers.set('a/b', { port: 30_000, localEndpoints: 1 })
  servers.set('a/b', { port: 30_001, localEndpoints: 1 })
  servers.set('a/b', undefined)
  await servers.settled()
  assert.equal(steps, ['+10.0.0.1:30000', '-10.0.0.1:30000', '+10.0.0.1:30001', '-10.0.0.1:30001'])
})

test('a complete plan keeps what stays and frees ports before they are taken', async () => {
  const { servers, steps } = start(['::'])
  servers.set('a/old', { port: 1, localEndpoints: 1 })
  servers.set('a/stays', { port: 2, localEndpoints: 1 })
  servers.replace([
    ['a/new', { port: 1, localEndpoints: 1 }],
    ['a/stays', { port: 2, localEndpoints: 0 }],
    ['a/none', undefined],
  ])
  await servers.settled()
  assert.equal(steps, ['+:::1', '+:::2', '-:::1', '+:::1'])
})

test('new addresses move all servers, equal ones none', async () => {
  const { servers, steps } = start(['10.0.0.1'])
  servers.set('a/b', { port: 1, localEndpoints: 1 })
  servers.setHosts(['10.0.0.1'])
  servers.setHosts(['10.0.0.2'])
  await servers.settled()
  assert.equal(steps, ['+10.0.0.1:1', '-10.0.0.1:1', '+10.0.0.2:1'])
})

test('a port that is in use is reported and does not stop the others', async () => {
  const { servers, steps, taken } = start(['10.0.0.1'])
  taken.add(1)
  servers.set('a/b', { port: 1, localEndpoints: 1 })
  servers.set('a/c', { port: 2, localEndpoints: 1 })
  await servers.settled()
  assert.equal(steps, ['!a/b:1', '+10.0.0.1:2'])
  await servers.close()
  assert.equal(steps.slice(2), ['-10.0.0.1:2'])
})

test('an unhealthy proxy answers 503', async () => {
  const world = start(['10.0.0.1'])
  world.servers.set('a/b', { port: 1, localEndpoints: 1 })
  await world.servers.settled()
  world.isProxyHealthy = false
  assert.is(world.answer(1)?.status, 503)
})

test('the answer is that of the original', () => {
  const { status, contentType, headers, body } = serviceHealthAnswer('ns/name', 3, true)
  assert.is(status, 200)
  assert.is(contentType, 'application/json')
  assert.equal(headers, { 'x-load-balancing-endpoint-weight': '3' })
  assert.is(
    body,
    '{\n\t"service": {\n\t\t"namespace": "ns",\n\t\t"name": "name"\n\t},\n\t"localEndpoints": 3,\n' +
      '\t"serviceProxyHealthy": true\n}',
  )
})

test('real servers answer over HTTP', async () => {
  const ports: number[] = []
  const servers = new ServiceHealthServers(
    {
      async listen(host, _port, route) {
        const server = await listenHttp('test', { host, port: 0 }, route)
        ports.push(server.port)
        return server
      },
      isProxyHealthy: () => true,
      failed: () => {},
    },
    ['127.0.0.1'],
  )
  servers.set('a/b', { port: 30_000, localEndpoints: 1 })
  await servers.settled()
  const response = await fetch(`http://127.0.0.1:${ports[0]}/any/path`)
  assert.is(response.status, 200)
  assert.is(response.headers.get('x-load-balancing-endpoint-weight'), '1')
  assert.is(response.headers.get('x-content-type-options'), 'nosniff')
  await response.text()
  await servers.close()
})

test.run()
