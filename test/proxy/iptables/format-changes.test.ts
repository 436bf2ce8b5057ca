import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatChanges } from '../../../src/proxy/iptables/format-changes.ts'
import type { FilledChain } from '../../../src/proxy/iptables/rule.ts'
import { toTableChanges } from '../../../src/proxy/iptables/table-changes.ts'

const test = suite('proxy/iptables/format-changes')

function chain(name: string, table: FilledChain['table'] = 'nat'): FilledChain {
  return { table, name, rules: [{ target: { kind: 'accept' } }] }
}

function textOf(changes: Parameters<typeof formatChanges>[0], maximumRules: number): string[] {
  return [...formatChanges(changes, 4, maximumRules)]
    .map(({ text }) => text)
    .join('')
    .split('\n')
}

test('no changes are no input', () => {
  assert.equal([...formatChanges(toTableChanges({ filled: [], removed: [] }), 4, 10)], [])
})

test('a commit ends before it has too many rules, and each begins with its table', () => {
  const filled = ['A', 'B', 'C'].map((name) => chain(name))
  const lines = textOf(toTableChanges({ filled, removed: [] }), 4)
  assert.equal(lines, [
    ...['*nat', ':A - [0:0]', '-A A -j ACCEPT', ':B - [0:0]', '-A B -j ACCEPT', 'COMMIT'],
    ...['*nat', ':C - [0:0]', '-A C -j ACCEPT', 'COMMIT', ''],
  ])
})

test('jumps come behind the chains that they lead to, and removals last', () => {
  const changes = toTableChanges({ filled: [chain('A')], removed: [{ table: 'nat', name: 'B' }] }, [
    { table: 'nat', chain: 'OUTPUT', remove: ['-j B'], insert: [{ target: { kind: 'accept' } }] },
  ])
  assert.equal(textOf(changes, 10).slice(3), [
    ...['-D OUTPUT -j B', '-I OUTPUT 1 -j ACCEPT', ':B - [0:0]', '-X B', 'COMMIT', ''],
  ])
  const pieces = [...formatChanges(changes, 4, 10)]
  assert.is(
    pieces.reduce((sum, { operations }) => sum + operations, 0),
    5,
  )
  assert.is(pieces.filter(({ isCommit }) => isCommit).length, 1)
})

test('what is only removed is a commit of its table, behind that of the table before', () => {
  const removed = [{ table: 'nat', name: 'B' } as const]
  const lines = textOf(toTableChanges({ filled: [chain('A', 'filter')], removed }), 10)
  assert.equal(lines, [
    ...['*filter', ':A - [0:0]', '-A A -j ACCEPT', 'COMMIT'],
    ...['*nat', ':B - [0:0]', '-X B', 'COMMIT', ''],
  ])
})

test.run()
