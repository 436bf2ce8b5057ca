import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import process from 'node:process'

const root = new URL('../..', import.meta.url).pathname

/** Compiles `portolan` into a folder and gives the path of its main file: what is installed is JavaScript, and
 *  taking the types out of sources at the start would count as memory of the daemon. Throws when the sources
 *  have faults. */
export function buildCommand(folder: string): string {
  const target = `${folder}/package`
  mkdirSync(target)
  copyFileSync(`${root}/package.json`, `${target}/package.json`)
  symlinkSync(`${root}/node_modules`, `${target}/node_modules`)
  const compiler = `${root}/node_modules/typescript/bin/tsc`
  const words = [compiler, '-p', `${root}/tsconfig.build.json`, '--outDir', `${target}/dist`]
  const { status, stdout } = spawnSync(process.execPath, [...words, '--declaration', 'false'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the sources cannot be built:\n${stdout}`)
  return `${target}/dist/cli/main.js`
}
