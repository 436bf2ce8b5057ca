import { compileFunction } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commonJsText, requiredBy } from './machine/common-js-text.ts'

const test = suite('vm/common-js-text')

/** Runs a module's text among others, by specifier. */
function run(
  module: string,
  others: Readonly<Record<string, object>> = {},
): Record<string, unknown> {
  const exports: Record<string, unknown> = {}
  const names = ['exports', 'requireModule', 'importMeta', 'importModule']
  const ask = (specifier: string): object => others[specifier] ?? {}
  const body = compileFunction(commonJsText(module), names)
  body(exports, ask, { url: 'file:///a.js' }, async (specifier: string) => ask(specifier))
  return exports
}

test('every form of import and export of this repository', () => {
  const found = run(
    [
      "import one from 'default'",
      "import * as all from 'all'",
      'import {',
      '  first,',
      '  second as other,',
      "} from 'names'",
      "import 'effect'",
      'export const sum = one + all.value + first + other',
      'export function twice(value) { return 2 * value }',
      'export async function later() { return 1 }',
      "export class Thing { name = 'thing' }",
      'export const here = import.meta.url',
    ].join('\n'),
    {
      default: { __esModule: true, default: 1 },
      all: { value: 10 },
      names: { first: 100, second: 1_000 },
    },
  )
  assert.is(found.sum, 1_111)
  assert.is((found.twice as (value: number) => number)(2), 4)
  assert.is(found.here, 'file:///a.js')
  assert.equal(Object.keys(found).sort(), ['Thing', 'here', 'later', 'sum', 'twice'])
})

test('a module that awaits at its top level says when it has ended', async () => {
  const found = run(`export const before = await Promise.resolve(7)\nawait import('other')\n`)
  assert.is(found.before, undefined)
  await found.done
  assert.is(found.before, 7)
})

test('awaiting inside of functions is no reason to wait', () => {
  const found = run('export async function wait() { await 1 }\n')
  assert.is(found.done, undefined)
})

test('what a text asks for', () => {
  const text = commonJsText(`import { a } from './a.js'\nawait import('./b.js')\n`)
  assert.equal([...requiredBy(`${text}require("c")`)].sort(), ['./a.js', './b.js', 'c'])
})

test.run()
