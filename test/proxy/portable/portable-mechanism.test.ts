import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resourceKey } from '../../../src/kube/resources.ts'
import { Planner } from '../../../src/proxy/plan/planner.ts'
import type { PlacedPort } from '../../../src/proxy/portable/place-table.ts'
import {
  openPortableMechanism,
  type PortableMechanism,
} from '../../../src/proxy/portable/portable-mechanism.ts'
import { readTableFile } from '../../../src/proxy/portable/table-file.ts'
import { wantedPlaces } from '../../../src/proxy/portable/wanted-places.ts'
import { defaultRelayOptions } from '../../../src/proxy/relay/relay-options.ts'
import { parseCluster, planContext } from '../../support/plan-fixture.ts'

const test = suite('proxy/portable/portable-mechanism')

const context = planContext()

/** A mechanism on Node's own sockets with a table file, and the planner behind it. */
class Portable {
  readonly folder = mkdtempSync(join(tmpdir(), 'portolan-portable-'))
  readonly file = join(this.folder, 'table.json')
  readonly warnings: string[] = []
  readonly planner = new Planner(context)
  readonly mechanism: PortableMechanism = openPortableMechanism({
    relay: defaultRelayOptions,
    engine: 'portable',
    tableFile: this.file,
    inform: () => {},
    warn: (line) => this.warnings.push(line),
  })

  set(cluster: string): void {
    const { services, slices } = parseCluster(cluster)
    for (const service of services) this.planner.setService(resourceKey(service), service)
    for (const slice of slices) this.planner.setSlice(resourceKey(slice), slice)
  }

  async synchronize(): Promise<void> {
    this.planner.takeChanges()
    const { services } = this.planner
    await this.mechanism.synchronize({ node: context.node, services })
  }

  /** Where a port is served, by the file. */
  place(service: string, portName: string): NonNullable<PlacedPort['place']> {
    const { ports } = readTableFile(this.file)
    const row = ports.find((port) => port.service === service && port.portName === portName)
    if (row?.place === undefined) throw new Error(`${service}:${portName} is not served`)
    return row.place
  }
}

async function inPortable(body: (portable: Portable) => Promise<void>): Promise<void> {
  const portable = new Portable()
  try {
    await body(portable)
  } finally {
    portable.mechanism.close()
    assert.not(existsSync(portable.file), 'the table goes with its process')
    rmSync(portable.folder, { recursive: true })
  }
}

/** A server that says its name to whoever connects. */
async function nameServer(name: string): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.end(name))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

function ask({ address: host, port }: { address: string; port: number }): Promise<string> {
  return text(connect({ host, port })).catch(
    (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error),
  )
}

test('a service is served on loopback, and its endpoints change under it', () =>
  inPortable(async (portable) => {
    const [first, second] = [await nameServer('first'), await nameServer('second')]
    portable.set(`
      service web 10.96.0.10 http:8099/TCP
      slice web-4 of web http:${first.port}/TCP | 127.0.0.1@n1
    `)
    await portable.synchronize()
    const place = portable.place('ns/web', 'http')
    assert.equal(place, wantedPlaces({ key: 'ns/web:http/TCP', service: 'ns/web', port: 8099 })[0])
    assert.is(await ask(place), 'first')
    portable.set(`slice web-4 of web http:${second.port}/TCP | 127.0.0.1@n1`)
    await portable.mechanism.update(portable.planner.takeChanges())
    assert.is(await ask(place), 'second')
    assert.equal(portable.place('ns/web', 'http'), place)
    portable.planner.setSlice('ns/web-4', undefined)
    await portable.mechanism.update(portable.planner.takeChanges())
    assert.is(await ask(place), 'ECONNRESET')
    portable.planner.setService('ns/web', undefined)
    await portable.mechanism.update(portable.planner.takeChanges())
    assert.is(await ask(place), 'ECONNREFUSED')
    assert.equal(readTableFile(portable.file).ports, [])
    first.server.close()
    second.server.close()
  }))

test('UDP is served, and two services with the same port do not meet', () =>
  inPortable(async (portable) => {
    const servers = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const socket = createSocket('udp4')
        socket.on('message', (_, from) => socket.send(name, from.port, from.address))
        socket.bind(0, '127.0.0.1')
        await once(socket, 'listening')
        return socket
      }),
    )
    for (const [index, name] of ['one', 'two'].entries()) {
      const port = servers[index]?.address().port
      portable.set(`
        service ${name} 10.96.0.2${index} dns:5399/UDP
        slice ${name}-4 of ${name} dns:${port}/UDP | 127.0.0.1@n1
      `)
    }
    await portable.synchronize()
    const client = createSocket('udp4')
    for (const name of ['one', 'two']) {
      const { address, port } = portable.place(`ns/${name}`, 'dns')
      client.send('who', port, address)
      const [answer] = await once(client, 'message')
      assert.is(String(answer), name)
    }
    for (const socket of [client, ...servers]) socket.close()
  }))

test('who finds its place taken gets the next one, and keeps it', () =>
  inPortable(async (portable) => {
    const port = { key: 'ns/web:http/TCP', service: 'ns/web', port: 8098 }
    const [first, second] = wantedPlaces(port)
    const squatter = createServer()
    squatter.listen({ host: first?.address, port: 8098 })
    await once(squatter, 'listening')
    portable.set('service web 10.96.0.10 http:8098/TCP')
    await portable.synchronize()
    assert.equal(portable.place('ns/web', 'http'), second)
    squatter.close()
    await portable.synchronize()
    assert.equal(portable.place('ns/web', 'http'), second)
  }))

test('a second synchronisation opens nothing, and SCTP is warned about once', () =>
  inPortable(async (portable) => {
    portable.set(`
      service web 10.96.0.10 http:8097/TCP
      service link 10.96.0.11 s:9/SCTP
      slice link-4 of link s:9/SCTP | 10.1.0.5@n1
    `)
    await portable.synchronize()
    await portable.synchronize()
    assert.is(portable.warnings.length, 1)
    assert.match(portable.warnings[0] ?? '', /ns\/link: 4\/SCTP\/.* is not served: /)
    const plan = { node: context.node, services: portable.planner.services }
    const report = await portable.mechanism.synchronize(plan)
    assert.equal(report, { transactions: 0, operations: 0, bytes: 0 })
  }))

test('the trace says that the kernel leads nowhere, and where to look', () =>
  inPortable(async (portable) => {
    portable.set('service web 10.96.0.10 http:8096/TCP')
    await portable.synchronize()
    const flow = {
      family: 4,
      protocol: 'TCP',
      source: '127.0.0.1',
      sourcePort: 1,
      destination: '10.96.0.10',
      destinationPort: 8096,
      origin: 'local',
    } as const
    const { verdict, limit } = await portable.mechanism.trace(flow, [])
    assert.is(verdict.kind, 'untouched')
    assert.match(limit ?? '', /ns\/web is served on loopback: portolan status --portable-table/)
  }))

test.run()
