/** Makes the publishable package in dist/: JavaScript, declarations and the launcher of `portolan`.
 *
 *      node scripts/build.ts */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { launcherText } from './support/launcher.ts'

const root = new URL('..', import.meta.url).pathname
const dist = join(root, 'dist')

await rm(dist, { recursive: true, force: true })
const compiler = join(root, 'node_modules/typescript/bin/tsc')
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (status !== 0) {
  process.stderr.write('build: the compiler found faults, dist/ is not usable\n')
  process.exit(1)
}

// The compiler rewrites imports only; a worker or data file named by URL would be missing in dist/.
for (const path of globSync('**/*.js', { cwd: dist })) {
  const text = await readFile(join(dist, path), 'utf8')
  const stray = text.match(/new URL\(\s*'[^']+\.ts'/)
  if (stray !== null) {
    process.stderr.write(`build: dist/${path} names a source file: ${stray[0]}\n`)
    process.exit(1)
  }
}

const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const launcher = join(dist, 'portolan.js')
await writeFile(launcher, launcherText(manifest.engines.node))
await chmod(launcher, 0o755)
process.stdout.write('built dist/\n')
