import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkArrowCycles, checkArrows, parseArrows } from '../scripts/tidy/arrows.ts'
import {
  checkMetricNames,
  checkPublicText,
  checkPurity,
  checkSourceBans,
} from '../scripts/tidy/bans.ts'
import { checkFileLengths, checkFunctionLengths, longFiles } from '../scripts/tidy/budgets.ts'
import { checkDocumented, checkNamedPaths } from '../scripts/tidy/documentation.ts'
import { checkCycles, checkDeadFiles } from '../scripts/tidy/import-graph.ts'
import {
  checkFiles,
  hasRepositoryFile,
  listFiles,
  readRepositoryFile,
} from '../scripts/tidy/repository.ts'
import {
  formatViolation,
  readSourceTree,
  sourceFile,
  type Violation,
} from '../scripts/tidy/source-tree.ts'

const root = new URL('..', import.meta.url).pathname
const files = readSourceTree(root)
const arrows = parseArrows(readRepositoryFile(root, 'docs/architecture.md'))
const exists = (path: string): boolean => hasRepositoryFile(root, path)

function none(violations: readonly Violation[]): void {
  if (violations.length === 0) return
  const error = new Error(violations.map(formatViolation).join('\n    '))
  // The reader needs the places that break the rule, not the place that found them.
  error.stack = ''
  throw error
}

const rules = suite('the tree is tidy')

rules('imports follow the arrows and use the doors', () => none(checkArrows(files, arrows)))
rules('the arrows point downwards', () => assert.equal(checkArrowCycles(arrows), []))
rules('every room of the arrows exists', () => {
  const missing = [...arrows.keys()].filter((room) => !exists(`src/${room}`))
  assert.equal(missing, [])
})
rules('files do not import each other in circles', () => none(checkCycles(files)))
rules('no file is dead', () => none(checkDeadFiles(files)))
rules('files are short', () => none(checkFileLengths(files, longFiles)))
rules('functions are short', () => none(checkFunctionLengths(files)))
rules('exports are documented', () => none(checkDocumented(files)))
rules('pure rooms are pure', () => none(checkPurity(files)))
rules('nothing banned is in the sources', () => none(checkSourceBans(files)))
rules('metric names follow the rules of Prometheus', () => none(checkMetricNames(files)))
rules('files are small and name no host or machine', () => none(checkFiles(root, listFiles(root))))
rules('the documents name paths that exist', () => {
  const documents = listFiles(root).filter((path) => path.endsWith('.md'))
  none(documents.flatMap((path) => checkNamedPaths(path, readRepositoryFile(root, path), exists)))
})

rules.run()

const canaries = suite('each rule finds a violation')

/** The number of violations that a rule must find in what is made to break it. */
function found(violations: readonly unknown[], count = 1): void {
  assert.is(violations.length, count)
}

const smallArrows = parseArrows('```arrows\ncli -> net\nnet ->\n```')
const long = `export function f() {\n${'  g()\n'.repeat(69)}}\n`

canaries('an arrow that does not exist', () => {
  found(
    checkArrows([sourceFile('src/net/a.ts', "import type { B } from '../cli/b.ts'")], smallArrows),
  )
  found(checkArrows([sourceFile('src/net/a.ts', "import('../cli/b.ts')")], smallArrows))
  found(
    checkArrows([sourceFile('src/cli/a.ts', "import { b } from '../net/b.ts'")], smallArrows),
    0,
  )
})
canaries('an import past the door', () => {
  found(checkArrows([sourceFile('src/cli/a.ts', "import '../net/deep/b.ts'")], smallArrows))
})
canaries('a file in no room, and an import out of src', () => {
  found(checkArrows([sourceFile('src/a.ts', '')], smallArrows))
  found(checkArrows([sourceFile('src/net/a.ts', "import '../../test/b.ts'")], smallArrows))
})
canaries('an arrow upwards', () => {
  assert.equal(checkArrowCycles(parseArrows('```arrows\na -> b\nb -> a\n```')), ['a', 'b'])
})
canaries('an import cycle of types', () => {
  const a = sourceFile('src/a.ts', "import type { B } from './b.ts'")
  const b = sourceFile('src/b.ts', "import type { A } from './a.ts'")
  found(checkCycles([a, b]))
  found(checkCycles([a, sourceFile('src/b.ts', '')]), 0)
})
canaries('a dead file, and one that only tests import', () => {
  const test = sourceFile('test/a.test.ts', "import '../src/net/a.ts'")
  const main = sourceFile('src/cli/main.ts', "import './b.ts'")
  found(checkDeadFiles([test, main, sourceFile('src/net/a.ts', '')]))
  found(checkDeadFiles([main, sourceFile('test/support/c.ts', '')]))
  found(checkDeadFiles([main, sourceFile('src/cli/b.ts', '')]), 0)
})
canaries('a long file, and an exemption that is not needed', () => {
  const file = sourceFile('src/a.ts', 'a\n'.repeat(401))
  found(checkFileLengths([file], new Map()))
  found(checkFileLengths([file], new Map([['src/a.ts', 401]])), 0)
  found(checkFileLengths([file], new Map([['src/a.ts', 402]])))
  found(checkFileLengths([], new Map([['src/a.ts', 401]])))
})
canaries('a long function', () => {
  found(checkFunctionLengths([sourceFile('src/a.ts', long)]))
  found(checkFunctionLengths([sourceFile('src/a.ts', long.replace('  g()\n', ''))]), 0)
  found(checkFunctionLengths([sourceFile('src/a.ts', long.replace('()', '({\n  x,\n}: X)'))]))
  const method = `class A {\n${long.replace('export function', ' ').replace('\n}', '\n  }')}}\n`
  found(checkFunctionLengths([sourceFile('src/a.ts', method)]))
})
canaries('an export without comment', () => {
  found(checkDocumented([sourceFile('src/a.ts', '\nexport const a = 1')]))
  found(checkDocumented([sourceFile('src/a.ts', '/** One. */\nexport const a = 1')]), 0)
})
canaries('a clock in a pure room', () => {
  found(checkPurity([sourceFile('src/net/a.ts', 'const now = Date.now()')]))
  found(checkPurity([sourceFile('src/proxy/plan/a.ts', "import { open } from 'node:fs'")]))
  found(checkPurity([sourceFile('src/cli/a.ts', 'const now = Date.now()')]), 0)
})
canaries('a wish without an end', () => {
  found(checkSourceBans([sourceFile('src/a.ts', `// ${'TO'}${'DO'}: later`)]))
})
canaries('a metric in milliseconds', () => {
  const text = "import { Gauge } from 'prom-client'\nnew Gauge({ name: 'sync_ms', help: '' })"
  found(checkMetricNames([sourceFile('src/a.ts', text)]))
})
canaries('a path of a machine and the host of a registry', () => {
  found(checkPublicText('a.md', ['', 'work', 'main'].join('/')))
  found(checkPublicText('a.md', ['https:', '', `registry.${'npm'}js.org`].join('/')))
})
canaries('a document that names a missing path', () => {
  found(checkNamedPaths('a.md', 'see `src/nowhere/a.ts`', () => false))
})

canaries.run()
