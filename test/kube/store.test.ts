import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ResourceMeta, resourceKey } from '../../src/kube/resources.ts'
import { type Change, Store } from '../../src/kube/store.ts'
import type { StoreIndex } from '../../src/kube/store-index.ts'

const test = suite('kube/store')

const object = (name: string, resourceVersion: string, group = 'g'): ResourceMeta => ({
  namespace: 'd',
  name,
  labels: { group },
  annotations: {},
  resourceVersion,
})

test('an unchanged version is no change; replace removes what is not listed', async () => {
  const store = new Store<ResourceMeta>()
  const changes: Change<ResourceMeta>[] = []
  const unsubscribe = store.subscribe((change) => changes.push(change))
  assert.not.ok(store.isSynced)
  store.replace([object('a', '1'), object('b', '1')])
  await store.synced
  store.set(object('a', '1'))
  store.replace([object('a', '1'), object('c', '1')])
  assert.equal(
    changes.map(({ key, before, after }) => [key, before !== undefined, after !== undefined]),
    [
      ['d/a', false, true],
      ['d/b', false, true],
      ['d/c', false, true],
      ['d/b', true, false],
    ],
  )
  unsubscribe()
  store.delete('d/a')
  assert.is(changes.length, 4)
})

test('an index is always what a walk over the store would give', () => {
  const operation = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    group: fc.constantFrom('x', 'y', 'none'),
    isRemoval: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(operation), fc.nat(5), (operations, indexAt) => {
      const store = new Store<ResourceMeta>()
      const groupOf = ({ labels }: ResourceMeta): string | undefined =>
        labels.group === 'none' ? undefined : labels.group
      let index: StoreIndex<ResourceMeta> | undefined
      for (const [step, { name, group, isRemoval }] of operations.entries()) {
        if (step === indexAt) index = store.indexBy(groupOf)
        if (isRemoval) store.delete(`d/${name}`)
        else store.set(object(name, String(step), group))
      }
      for (const group of ['x', 'y']) {
        if (index === undefined) continue
        const expected = [...store.values()].filter((each) => groupOf(each) === group)
        const keys = (objects: Iterable<ResourceMeta>): string[] => [...objects].map(resourceKey)
        assert.equal(keys(index.get(group)).sort(), keys(expected).sort())
      }
    }),
  )
})

test.run()
