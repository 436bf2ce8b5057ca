import { globSync, readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { commonJsText, requiredBy } from './common-js-text.ts'
import type { ModuleEntry } from './guest-loader.ts'

/** All modules of the repository and of the packages that they use, for `runModule`. */
export interface ModuleTexts {
  /** By absolute path in the guest. */
  readonly index: Readonly<Record<string, ModuleEntry>>
  readonly texts: Buffer
  /** Modules that no other one asks for: those that are run. */
  readonly entries: readonly string[]
}

/** Packages with native code, or modules that only Node's own loader takes. */
export const loadedByNode = /\/node_modules\/(?:koffi|@koromix|commander)\//

/** Collects them; `target` is the folder that the repository has in the guest. */
export function moduleTexts(repository: string, target: string): ModuleTexts {
  const texts = new Map<string, string>()
  const links = new Map<string, Record<string, string>>()
  const asked = new Set<string>()
  const waiting = globSync('{src,test,scripts,bench}/**/*.ts', { cwd: repository })
    .sort()
    .map((path) => join(repository, path))
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (texts.has(file)) continue
    const text = textOf(file)
    const found: Record<string, string> = {}
    for (const specifier of file.endsWith('.json') ? [] : requiredBy(text)) {
      const module = resolveModule(file, specifier)
      if (module === undefined) continue
      found[specifier] = guestPath(module)
      if (module.includes('/node_modules/')) waiting.push(module)
      asked.add(module)
    }
    texts.set(file, text)
    links.set(file, found)
  }
  function guestPath(file: string): string {
    return join(target, javaScriptName(file.slice(repository.length)))
  }
  const index: Record<string, ModuleEntry> = {}
  const parts: Buffer[] = []
  let end = 0
  for (const [file, text] of texts) {
    const part = Buffer.from(text)
    parts.push(part)
    index[guestPath(file)] = { start: end, end: end + part.length, links: links.get(file) ?? {} }
    end += part.length
  }
  const entries = [...texts.keys()].filter((file) => !asked.has(file)).map(guestPath)
  return { index, texts: Buffer.concat(parts), entries }
}

/** A path, or a text with module specifiers and names of files, in which modules are JavaScript. */
export function javaScriptName(text: string): string {
  return text.replaceAll(/\.ts(?=['"`]|$)/gm, '.js')
}

function textOf(file: string): string {
  const text = readFileSync(file, 'utf8')
  if (!file.endsWith('.ts')) return text
  return commonJsText(javaScriptName(stripTypeScriptTypes(text)))
}

function resolveModule(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.') && !file.includes('/node_modules/')) {
    return join(dirname(file), specifier.replace(/\.js$/, '.ts'))
  }
  try {
    const found = createRequire(file).resolve(specifier)
    return found.startsWith('/') && !loadedByNode.test(found) ? found : undefined
  } catch {
    // Asked for in vain is asked for where the package expects that.
    return undefined
  }
}
