import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDecodePool } from '../../../src/kube/decode-pool.ts'
import { decodeService } from '../../../src/kube/decode-service.ts'
import { allocateResource, clusterIpRange } from '../../../src/kube/manifests/allocate-resource.ts'
import { ServiceAllocator } from '../../../src/kube/manifests/service-allocator.ts'
import type { Service } from '../../../src/kube/resources.ts'

const test = suite('kube/manifests/service-allocator')

function service(name: string, spec: object): Service {
  return decodeService({ metadata: { name }, spec }, createDecodePool())
}

test('an address is the same every time, and the next one when it is taken', () => {
  const address = (name: string, taken = ''): string =>
    allocateResource(name, clusterIpRange, (each) => each === taken) ?? ''
  assert.is(address('default/web address'), '10.96.216.132')
  const next = address('default/web address', '10.96.216.132')
  assert.is(next, '10.96.216.133')
  assert.is(
    allocateResource('x', clusterIpRange, () => true),
    undefined,
  )
  assert.is(clusterIpRange.at(0), '10.96.0.1')
  assert.is(clusterIpRange.at(clusterIpRange.count - 1), '10.96.255.254')
})

test('node ports are allocated for NodePort services, written ones are kept', () => {
  const allocator = new ServiceAllocator()
  const ports = [{ port: 80 }, { port: 53, protocol: 'UDP', nodePort: 31_000 }]
  const open = service('web', { type: 'NodePort', clusterIP: '10.96.0.1', ports })
  assert.equal(allocator.replace('default/web', undefined, open), [])
  const completed = allocator.complete('default/web', open)
  const [first, second] = completed.ports.map(({ nodePort }) => nodePort)
  assert.ok(first !== undefined && first >= 30_000 && first <= 32_767)
  assert.is(second, 31_000)
  assert.is.not(completed.resourceVersion, open.resourceVersion)
  const closed = service('lb', {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.2',
    ports: [{ port: 80 }],
  })
  assert.is(allocator.complete('default/lb', closed), closed)
})

test('whatever comes and goes, no two services have the same address or port', () => {
  const address = fc.option(fc.constantFrom('10.96.0.1', '10.96.216.132', '10.96.9.9'), { nil: '' })
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'web'),
    spec: fc.option(
      fc.record({
        type: fc.constantFrom('ClusterIP', 'NodePort'),
        clusterIP: address,
        ports: fc.constantFrom([{ port: 80 }], [{ port: 80 }, { port: 53, protocol: 'UDP' }]),
      }),
      { nil: undefined },
    ),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const allocator = new ServiceAllocator()
      const written = new Map<string, Service>()
      const current = new Map<string, Service>()
      for (const { name, spec } of steps) {
        const key = `default/${name}`
        const after = spec && service(name, spec)
        const moved = allocator.replace(key, written.get(key), after)
        current.delete(key)
        if (after === undefined) written.delete(key)
        else written.set(key, after)
        for (const each of after === undefined ? moved : [...moved, key]) {
          const object = written.get(each)
          if (object !== undefined) current.set(each, allocator.complete(each, object))
        }
        assertDistinct(written, current)
      }
    }),
    { numRuns: 500 },
  )
})

/** Only what was allocated must be distinct; two manifests may well write the same address. */
function assertDistinct(
  written: ReadonlyMap<string, Service>,
  current: ReadonlyMap<string, Service>,
): void {
  assert.is(current.size, written.size)
  const owners = new Map<string, string>()
  for (const [key, object] of current) {
    const resources = [
      ...object.clusterIPs,
      ...object.ports.flatMap(({ nodePort, protocol }) =>
        nodePort ? `${nodePort}${protocol}` : [],
      ),
    ]
    assert.ok(object.clusterIPs.length === 1)
    for (const resource of resources) {
      const other = owners.get(resource)
      const isWritten = [key, other].every((each) => {
        return written.get(each ?? '')?.clusterIPs.includes(resource) ?? true
      })
      assert.ok(other === undefined || isWritten, `${resource} of ${key} and ${other}`)
      owners.set(resource, key)
    }
  }
}

test.run()
