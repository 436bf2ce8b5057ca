import { compileFunction } from 'node:vm'

/** The text of a JavaScript module as CommonJS, for modules written as this repository writes them: imports and
 *  exports begin their lines, exports are declarations, and nobody waits for a circle. A module that awaits
 *  at its top level becomes one whose `exports.done` is the promise of its end. */
export function commonJsText(module: string): string {
  const exported: string[] = []
  const body = module
    .replaceAll(importFrom, (_, bindings: string, specifier: string) => {
      return requireText(bindings.trim(), specifier)
    })
    .replaceAll(importOnly, (_, specifier: string) => `requireModule('${specifier}')`)
    .replaceAll(exportOf, (_, declaration: string, name: string) => {
      exported.push(name)
      return `${declaration}${name}`
    })
    .replaceAll('import.meta.url', 'importMeta.url')
    .replaceAll(/\bawait import\(/g, 'await importModule(')
  // Functions are there before the rest runs, and nothing else is asked for before it has.
  const ends = exported.map((name) => `exports.${name} = ${name}\n`).join('')
  const text = `'use strict';${body}\n${ends}`
  return awaits(text) ? `exports.done = (async () => {${text}})()\n` : text
}

/** The specifiers that a CommonJS text asks for. */
export function requiredBy(text: string): ReadonlySet<string> {
  const found = text.matchAll(
    /\b(?:require|requireModule|importModule)\(\s*(['"])([^'"\n]+)\1\s*\)/g,
  )
  return new Set([...found].map(([, , specifier = '']) => specifier))
}

/** Whether a text awaits outside of its functions: then it cannot be compiled as one that does not wait. */
function awaits(text: string): boolean {
  if (!text.includes('await ')) return false
  try {
    compileFunction(text)
    return false
  } catch {
    return true
  }
}

const importFrom = /^import\s+([^'"]+?)\s+from\s+'([^']+)'/gm
const importOnly = /^import\s+'([^']+)'/gm
const exportOf = /^export\s+((?:async\s+)?(?:function\s*\*?|class|const|let)\s+)([\w$]+)/gm

/** `fc`, `* as assert`, `{ suite as tests }`, `pino, { type Logger }`: what the names of an import become. */
function requireText(bindings: string, specifier: string): string {
  const module = `requireModule('${specifier}')`
  const all = /^\*\s+as\s+(\S+)$/.exec(bindings)?.[1]
  if (all !== undefined) return `const ${all} = ${module}`
  const [, first = '', names = ''] = /^([\w$]*)\s*,?\s*(\{[^}]*\})?$/s.exec(bindings) ?? []
  const parts = []
  if (first !== '')
    parts.push(`${first} = ((found) => found.__esModule ? found.default : found)(${module})`)
  if (names !== '') parts.push(`${names.replaceAll(/\s+as\s+/g, ': ')} = ${module}`)
  return parts.length === 0 ? module : `const ${parts.join(', ')}`
}
