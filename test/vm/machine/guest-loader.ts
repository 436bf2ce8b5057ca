import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { compileFunction } from 'node:vm'

/** Where a module stands in the file of all texts, and which module each of its specifiers means. The others
 *  are Node's. */
export interface ModuleEntry {
  readonly start: number
  readonly end: number
  readonly links: Readonly<Record<string, string>>
}

interface LoadedModule {
  exports: { readonly done?: Promise<void> }
}

/** Names that a module's text finds. */
const parameters = ['exports', 'module', '__filename', '__dirname', 'importMeta', 'importModule']
  // Modules of the repository may have a `require` of their own.
  .concat(['requireModule', 'require'])

/** Runs a module, and those that it asks for, out of one file of texts. In an emulated machine Node's own
 *  loaders take twenty seconds for the thousand modules of the command, most of it to find them. */
export function runModule(folder: string, entry: string): void {
  const index: Record<string, ModuleEntry> = JSON.parse(
    readFileSync(`${folder}/modules.json`, 'utf8'),
  )
  const texts = readFileSync(`${folder}/modules.text`)
  const loaded = new Map<string, LoadedModule>()
  const load = (path: string): LoadedModule['exports'] => {
    const found = loaded.get(path)
    if (found !== undefined) return found.exports
    const { start, end, links } = index[path] ?? { start: 0, end: 0, links: {} }
    const module: LoadedModule = { exports: {} }
    loaded.set(path, module)
    const text = texts.toString('utf8', start, end)
    if (path.endsWith('.json')) module.exports = JSON.parse(text)
    else {
      const foreign = createRequire(path)
      const ask = (specifier: string) => {
        const target = links[specifier]
        return target === undefined ? foreign(specifier) : load(target)
      }
      const importModule = async (specifier: string) => {
        const imported = ask(specifier)
        await imported.done
        return imported
      }
      const run = compileFunction(text, parameters, { filename: path })
      const meta = { url: `file://${path}` }
      run(module.exports, module, path, dirname(path), meta, importModule, ask, ask)
    }
    return module.exports
  }
  load(entry)
}
