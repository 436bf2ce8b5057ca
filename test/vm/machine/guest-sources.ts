import { readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { commonJsText } from './common-js-text.ts'
import { FileArchive } from './file-archive.ts'
import { addFolder } from './guest-system.ts'
import { loadedByNode, moduleTexts } from './module-texts.ts'

/** Where the repository is in the guest. */
export const guestRepository = '/portolan'

/** Native code for another C library. */
const unusedFiles = /\/musl_|\.(md|map|d\.ts|d\.mts|d\.cts)$/

/** The part of the guest's file system that is this repository, as texts that its loader runs, with a file
 *  for each module that can be started; and /init, which runs `script`. */
export function guestSources(repository: string, script: string): readonly Buffer[] {
  const archive = new FileArchive()
  const { index, texts, entries } = moduleTexts(repository, guestRepository)
  archive.addFile(`${guestRepository}/modules.json`, JSON.stringify(index))
  archive.addFile(`${guestRepository}/modules.text`, texts)
  const loader = readFileSync(new URL('./guest-loader.ts', import.meta.url), 'utf8')
  const loaderText = commonJsText(stripTypeScriptTypes(loader))
  archive.addFile(`${guestRepository}/loader.js`, `const requireModule = require\n${loaderText}`)
  for (const entry of entries) {
    const text = `require('${guestRepository}/loader.js').runModule('${guestRepository}', __filename)\n`
    archive.addFile(entry, text)
  }
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  const guestManifest = { ...manifest, type: 'commonjs' }
  archive.addFile(`${guestRepository}/package.json`, JSON.stringify(guestManifest))
  addPackages(archive, join(repository, 'node_modules'))
  archive.addFile('/init', script, 0o755)
  return archive.finish()
}

function addPackages(archive: FileArchive, packages: string): void {
  for (const name of readdirSync(packages)) {
    if (!loadedByNode.test(`/node_modules/${name}/`)) continue
    const target = `${guestRepository}/node_modules/${name}`
    addFolder(archive, join(packages, name), target, (path) => !unusedFiles.test(`/${path}`))
  }
}
