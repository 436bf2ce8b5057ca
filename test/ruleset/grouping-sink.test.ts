import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SetElement } from '../../src/netlink/nftables/objects.ts'
import { GroupingSink } from '../../src/ruleset/grouping-sink.ts'

const grouping = suite('grouping sink')

/** Writes down what it gets. */
function recorder() {
  const added: [string, SetElement][] = []
  return {
    added,
    add: (set: string, element: SetElement) => added.push([set, element]),
    remove: () => assert.unreachable(),
  }
}

grouping('every element arrives once, in order within its set', () => {
  const target = recorder()
  const sink = new GroupingSink(target)
  const wanted = new Map<string, SetElement[]>([
    ['slots', []],
    ['pools', []],
  ])
  for (let index = 0; index < 3_000; index++) {
    const set = index % 3 === 0 ? 'pools' : 'slots'
    const element = { key: String(index) }
    wanted.get(set)?.push(element)
    sink.add(set, element)
  }
  sink.flush()
  for (const [set, elements] of wanted) {
    const found = target.added.filter(([name]) => name === set).map(([, element]) => element)
    assert.equal(found, elements)
  }
  assert.is(target.added.length, 3_000)
})

grouping('elements of sets that take turns come in few runs', () => {
  const target = recorder()
  const sink = new GroupingSink(target)
  for (let index = 0; index < 10_000; index++) sink.add(index % 2 === 0 ? 'a' : 'b', { key: '' })
  sink.flush()
  const names = target.added.map(([name]) => name)
  const runs = names.filter((name, index) => name !== names[index - 1]).length
  assert.ok(runs <= 22, `${runs} runs`)
})

grouping('a second flush hands on nothing', () => {
  const target = recorder()
  const sink = new GroupingSink(target)
  sink.add('a', { key: '' })
  sink.flush()
  sink.flush()
  assert.is(target.added.length, 1)
})

grouping('a removal is refused', () => {
  assert.throws(() => new GroupingSink(recorder()).remove('a'), /set a: a removal/)
})

grouping.run()
