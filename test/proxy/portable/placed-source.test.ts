import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Service } from '../../../src/kube/resources.ts'
import { type ClusterSource, Store } from '../../../src/kube/store.ts'
import type { PlacedPort, PlaceTable } from '../../../src/proxy/portable/place-table.ts'
import { placedSource } from '../../../src/proxy/portable/placed-source.ts'
import { parseCluster } from '../../support/plan-fixture.ts'

const test = suite('proxy/portable/placed-source')

function row(service: string, portName: string, port: number, at: string, place: number) {
  const base: PlacedPort = {
    service,
    portName,
    protocol: 'TCP',
    port,
    frontend: `10.96.0.10:${port}`,
    place: { address: at, port: place },
    failure: undefined,
    endpoints: 1,
  }
  return base
}

function tableOf(...ports: readonly PlacedPort[]): PlaceTable {
  return { kind: 'PortolanPortableTable', pid: 1, ports }
}

/** Watches services through a table that the test changes. */
async function watch(text: string, first: PlaceTable | undefined) {
  const { services } = parseCluster(text)
  let table = first
  let changed = (): void => {}
  const source: ClusterSource = {
    watch: (_kind, _selection, sink) => {
      // Versions as an API server gives them.
      const versioned = services.map((service) => ({ ...service, resourceVersion: '7' }))
      sink.replace(versioned as unknown as Parameters<typeof sink.replace>[0])
      return Promise.resolve()
    },
  }
  const placed = placedSource(source, {
    read: () => table,
    follow: (callback) => {
      changed = callback
    },
  })
  const store = new Store<Service>()
  await placed.watch('Service', {}, store, new AbortController().signal)
  return {
    ports: (key: string) => store.get(key)?.ports.map(({ port }) => port),
    addresses: (key: string) => store.get(key)?.clusterIPs,
    change(next: PlaceTable | undefined) {
      table = next
      changed()
    },
  }
}

const web = 'service web 10.96.0.10 fd00:10::10 http:80/TCP api:8080/TCP'

test('a service has the address and the ports of its place', async () => {
  const seen = await watch(
    web,
    tableOf(
      row('ns/web', 'http', 80, '127.65.1.2', 8080),
      row('ns/web', 'api', 8080, '127.65.1.2', 8081),
    ),
  )
  assert.equal(seen.addresses('ns/web'), ['127.65.1.2'])
  assert.equal(seen.ports('ns/web'), [8080, 8081])
})

test('services without a place, and headless ones, stay as they are', async () => {
  const seen = await watch(`${web}\nservice db sql:5432/TCP`, tableOf())
  assert.equal(seen.addresses('ns/web'), ['10.96.0.10', 'fd00:10::10'])
  assert.equal(seen.addresses('ns/db'), [])
})

test('another table changes what is known, though the objects are the same', async () => {
  const seen = await watch(web, undefined)
  assert.equal(seen.addresses('ns/web'), ['10.96.0.10', 'fd00:10::10'])
  seen.change(tableOf(row('ns/web', 'http', 80, '127.65.1.2', 80)))
  assert.equal(seen.addresses('ns/web'), ['127.65.1.2'])
  assert.equal(seen.ports('ns/web'), [80, 8080])
  seen.change(tableOf(row('ns/web', 'http', 80, '127.65.1.2', 8080)))
  assert.equal(seen.ports('ns/web'), [8080, 8080])
  seen.change(undefined)
  assert.equal(seen.addresses('ns/web'), ['10.96.0.10', 'fd00:10::10'])
})

test.run()
