import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** One source file, as text. */
export interface SourceFile {
  /** Relative to the repository, with `/`. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
  /** Paths of the files of this repository that it imports, types and workers included. */
  readonly imports: readonly string[]
}

/** One broken rule, for people: where, what, and what to do. */
export interface Violation {
  readonly path: string
  /** Counted from 1; 0: the whole file. */
  readonly line: number
  readonly what: string
}

/** All TypeScript files of the repository at `root`, sorted by path. */
export function readSourceTree(root: string): SourceFile[] {
  return globSync(['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'], {
    cwd: root,
  })
    .sort()
    .map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8')))
}

/** Makes a source file of a path and a text; tests make files that exist nowhere. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, lines: text.split('\n'), imports: relativeImports(path, text) }
}

/** `src/net/flow.ts:12: what` */
export function formatViolation(violation: Violation): string {
  const line = violation.line === 0 ? '' : `:${violation.line}`
  return `${violation.path}${line}: ${violation.what}`
}

/** Static imports and exports start a line, or end one that starts with a brace. */
const staticImport = /^(?:import\s|export\s|\} )[^'"\n]*'(\.\.?\/[^']+\.ts)'/gm

/** Types by `import('./x.ts')`, workers by `new URL('./x.ts', import.meta.url)`; not in a string. */
const inlineImport = /(?<!["'`])(?:\bimport\(|new URL\()\s*'(\.\.?\/[^']+\.ts)'/g

function relativeImports(path: string, text: string): string[] {
  const folder = posix.dirname(path)
  const targets = [...text.matchAll(staticImport), ...text.matchAll(inlineImport)].map((match) =>
    posix.normalize(posix.join(folder, match[1] ?? '')),
  )
  return [...new Set(targets)]
}
