import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SessionTable, type TableSession } from '../../../src/proxy/relay/session-table.ts'

const test = suite('proxy/relay/session-table')

/** Numbers from 0 to below 1, the same in every run. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) / 2 ** 24
  }
}

/** Adds a session; the table makes room first. */
function open(table: SessionTable<TableSession & { key: string }>, key: string, client: string) {
  const victim = table.isFull ? table.victim() : undefined
  if (victim !== undefined) table.delete(victim.key)
  table.add(key, { key, client, lastMs: 0 })
}

test('who opens thousands of sessions pushes out its own, not those of others', () => {
  const table = new SessionTable<TableSession & { key: string }>(200, sequence(1))
  for (let index = 0; index < 50; index++) open(table, `quiet ${index}`, `quiet ${index}`)
  for (let index = 0; index < 10_000; index++) open(table, `loud ${index}`, 'loud')
  assert.is(table.size, 200)
  const left = table.values().filter(({ client }) => client !== 'loud')
  assert.is(left.length, 50)
})

test('of clients with equally many the session goes that was silent longest', () => {
  const table = new SessionTable<TableSession>(3, sequence(2))
  for (const [client, lastMs] of [
    ['a', 30],
    ['b', 10],
    ['c', 20],
  ] as const) {
    table.add(client, { client, lastMs })
  }
  assert.is(table.victim()?.client, 'b')
})

test('the table holds what was added and not deleted, whatever the order', () => {
  const step = fc.record({ key: fc.integer({ min: 0, max: 20 }), isAdded: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new SessionTable<TableSession>(1_000, sequence(3))
      const model = new Map<string, TableSession>()
      for (const { key, isAdded } of steps) {
        const name = `${key}`
        if (!isAdded) {
          table.delete(name)
          model.delete(name)
        } else if (!model.has(name)) {
          const session = { client: `${key % 3}`, lastMs: 0 }
          table.add(name, session)
          model.set(name, session)
        }
      }
      assert.is(table.size, model.size)
      for (const [name, session] of model) assert.is(table.get(name), session)
      if (model.size > 0) assert.ok([...model.values()].includes(table.victim() as TableSession))
    }),
    { numRuns: 200, seed: 7 },
  )
})

test.run()
