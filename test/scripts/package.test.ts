import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findBinary } from '../../scripts/support/find-binary.ts'
import { launcherText } from '../../scripts/support/launcher.ts'

const root = new URL('../../', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'portolan-package-'))

/** Runs a command in a folder; gives its exit code and what it printed. */
function run(cwd: string, command: string, ...args: readonly string[]): [number, string] {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  return [status ?? 1, `${stdout}${stderr}${error ?? ''}`]
}

/** A copy of what the build reads, so that tests do not write into the checkout. */
function copyTree(): string {
  const copy = join(folder, 'tree')
  for (const name of readdirSync(root)) {
    if (/^(?:src|scripts|package.*\.json|tsconfig.*\.json|[A-Z]+(?:\.md)?)$/.test(name)) {
      cpSync(join(root, name), join(copy, name), { recursive: true })
    }
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** Types are used so that they must be found: a missing declaration would make them `any`. */
const consumerText = `
import { decodeResource } from 'portolan/decode'
import { createDecodePool } from 'portolan/decode-pool'
import { Planner } from 'portolan/plan'
import type { NodePlan } from 'portolan/plan-types'
const node: NodePlan = { families: [4], podDetector: { kind: 'none' }, masqueradeAll: false,
  masqueradeMark: 0x4000, nodePortAddresses: 'any-local', serviceRanges: [] }
const planner = new Planner({ identity: { nodeName: 'a', zone: '', addresses: [] }, node })
const service = decodeResource('Service', { apiVersion: 'v1', kind: 'Service',
  metadata: { namespace: 'default', name: 'web' },
  spec: { type: 'ClusterIP', clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports: [{ port: 80 }] },
}, createDecodePool())
planner.setService('default/web', service)
for (const change of planner.takeChanges()) console.log(change.service)
// @ts-expect-error the key is a text
planner.setService(1, service)
`

function expectSuccess([code, output]: [number, string]): string {
  assert.is(code, 0, output)
  return output
}

const packageSuite = suite('the package')

packageSuite.after(() => rmSync(folder, { recursive: true }))

packageSuite('holds what it should and runs where it is installed', () => {
  const tree = copyTree()
  expectSuccess(run(tree, process.execPath, 'scripts/build.ts'))
  const npm = findBinary('npm') ?? 'npm'
  expectSuccess(run(tree, npm, 'pack', '--ignore-scripts', '--pack-destination', folder))
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
  const names = expectSuccess(run(folder, 'tar', 'tzf', tarball))
    .trim()
    .split('\n')
  const stray = names.filter(
    (name) => !/^package\/(?:dist\/.*|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/.test(name),
  )
  assert.equal(stray, [])
  for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', 'dist/portolan.js']) {
    assert.ok(names.includes(`package/${name}`), `${name} is missing`)
  }
  assert.ok(names.some((name) => name.endsWith('.d.ts')))

  expectSuccess(run(folder, 'tar', 'xzf', tarball))
  symlinkSync(join(root, 'node_modules'), join(folder, 'package/node_modules'))
  const portolan = join(folder, 'package/dist/portolan.js')
  assert.match(expectSuccess(run(folder, portolan, '--version')), /^\d+\.\d+\.\d+\n$/)
  assert.match(expectSuccess(run(folder, portolan, '--help')), /\bproxy\b/)
})

packageSuite('can be used as a library, with types', () => {
  const consumer = join(folder, 'consumer')
  mkdirSync(join(consumer, 'node_modules/@types'), { recursive: true })
  symlinkSync(join(folder, 'package'), join(consumer, 'node_modules/portolan'))
  symlinkSync(join(root, 'node_modules/@types/node'), join(consumer, 'node_modules/@types/node'))
  writeFileSync(join(consumer, 'package.json'), '{"type":"module"}')
  writeFileSync(join(consumer, 'use.ts'), consumerText)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--types', 'node', 'use.ts']
  expectSuccess(run(consumer, process.execPath, tsc, ...options))
  assert.is(expectSuccess(run(consumer, process.execPath, 'use.ts')), 'default/web\n')
})

packageSuite('gives an old Node one clear line', () => {
  const path = join(folder, 'launcher.mjs')
  writeFileSync(path, launcherText('>=999.19'))
  const [code, output] = run(folder, process.execPath, path)
  assert.is(code, 1)
  assert.match(output, /^portolan: this is Node [^\n]* needs 999\.19 or newer[^\n]*\n$/)
  assert.throws(() => launcherText('22'), 'engines.node')
})

packageSuite.run()
