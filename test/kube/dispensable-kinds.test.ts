import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ApiSource } from '../../src/kube/api-source.ts'
import { ApiTransport } from '../../src/kube/api-transport.ts'
import type { ServiceCIDR } from '../../src/kube/resources.ts'
import type { SourceEvent } from '../../src/kube/source-event.ts'
import { Store } from '../../src/kube/store.ts'
import { accessTo } from './access.ts'
import { openFakeApiServer } from './fake-api-server.ts'
import { FakeClock } from './fake-clock.ts'

const test = suite('kube/dispensable-kinds')

for (const code of [403, 404]) {
  test(`a server that answers ${code} for ServiceCIDRs has none, and is asked again after ten minutes`, async () => {
    const server = await openFakeApiServer()
    const clock = new FakeClock()
    const transport = new ApiTransport(accessTo(server.url))
    const events: SourceEvent[] = []
    const store = new Store<ServiceCIDR>()
    const source = new ApiSource(transport, {
      report: (event) => events.push(event),
      clock,
      random: () => 0,
    })
    const end = new AbortController()
    const watch = source.watch('ServiceCIDR', {}, store, end.signal)
    const waits = clock.scheduled(600_000)
    ;(await server.next()).json({ kind: 'Status', code, message: 'no' }, code)
    await waits
    await store.synced
    assert.is(store.size, 0)
    clock.advance(600_000)
    const again = await server.next()
    again.open()
    const metadata = { name: 'kubernetes', resourceVersion: '5' }
    const object = { kind: 'ServiceCIDR', metadata, spec: { cidrs: ['10.96.0.0/16'] } }
    const { promise: changed, resolve } = Promise.withResolvers<void>()
    store.subscribe(() => resolve())
    const annotations = { 'k8s.io/initial-events-end': 'true' }
    again.send(
      { type: 'ADDED', object },
      {
        type: 'BOOKMARK',
        object: { kind: 'ServiceCIDR', metadata: { resourceVersion: '6', annotations } },
      },
    )
    await changed
    assert.equal(store.get('kubernetes')?.cidrs, ['10.96.0.0/16'])
    assert.equal(events, [])
    end.abort()
    await watch
    await transport.close()
    await server.close()
  })
}

test.run()
