import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

interface Lock {
  readonly packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const root = new URL('../../', import.meta.url)
const lock: Lock = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8'))
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
const documented = readFileSync(new URL('docs/dependencies.md', root), 'utf8')

const packages = suite('package-lock.json')

packages('ties no package to an address', () => {
  const tied = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined)
  assert.equal(
    tied.map(([name]) => name),
    [],
  )
})

packages('names every package with an install script under allowScripts', () => {
  const scripted = Object.entries(lock.packages)
    .filter(([, entry]) => entry.hasInstallScript === true)
    .map(([path]) => path.replace(/^.*node_modules\//, ''))
  assert.equal(scripted.sort(), Object.keys(manifest.allowScripts).sort())
})

packages('has a line in docs/dependencies.md for each direct dependency', () => {
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
  const missing = names.filter((name) => !documented.includes(`| ${name} |`))
  assert.equal(missing, [])
})

packages.run()
