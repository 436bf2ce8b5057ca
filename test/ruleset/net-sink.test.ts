import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NetSink } from '../../src/ruleset/net-sink.ts'

const test = suite('ruleset/net-sink')

const ofA = { key: 'k', value: '1', comment: 'a' }
const ofB = { key: 'k', value: '2', comment: 'b' }

function netOf(fill: (sink: NetSink) => void): string[] {
  const sink = new NetSink()
  fill(sink)
  const operations: string[] = []
  const count = sink.flush({
    add: (set, { comment }) => operations.push(`add ${set} ${comment}`),
    remove: (set, { comment }) => operations.push(`remove ${set} ${comment}`),
  })
  assert.is(count, operations.length)
  return operations
}

test('an element that is added and removed, or removed and added, is not written', () => {
  const added = netOf((sink) => {
    sink.add('s', ofA)
    sink.remove('s', ofA)
  })
  assert.equal(added, [])
  const removed = netOf((sink) => {
    sink.remove('s', ofA)
    sink.add('s', { ...ofA })
  })
  assert.equal(removed, [])
})

test('a key that goes from one service to another is removed first, whoever spoke first', () => {
  const giverFirst = netOf((sink) => {
    sink.remove('s', ofA)
    sink.add('s', ofB)
  })
  assert.equal(giverFirst, ['remove s a', 'add s b'])
  const takerFirst = netOf((sink) => {
    sink.add('s', ofB)
    sink.remove('s', ofA)
  })
  assert.equal(takerFirst, ['remove s a', 'add s b'])
})

test('all removals come before all additions', () => {
  const operations = netOf((sink) => {
    sink.add('s', ofA)
    sink.remove('t', ofB)
  })
  assert.equal(operations, ['remove t b', 'add s a'])
})

test.run()
