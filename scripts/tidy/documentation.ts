import type { SourceFile, Violation } from './source-tree.ts'

const exported =
  /^export (?:async |abstract |declare )*(?:function\*?|class|const|interface|type|let) (\w+)/

/** Exports without a doc comment directly above. */
export function checkDocumented(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) =>
    file.lines.flatMap((line, index) => {
      const name = line.match(exported)?.[1]
      if (name === undefined) return []
      // The implementation of an overloaded function shares the comment of its first signature.
      const above = file.lines[index - 1] ?? ''
      if (above.trimEnd().endsWith('*/') || above.match(exported)?.[1] === name) return []
      if (above.trimStart().startsWith('// biome-ignore')) {
        if ((file.lines[index - 2] ?? '').trimEnd().endsWith('*/')) return []
      }
      return [
        { path: file.path, line: index + 1, what: `export ${name} has no doc comment above it` },
      ]
    }),
  )
}

/** Paths that a document names in backticks and that do not exist. */
export function checkNamedPaths(
  path: string,
  text: string,
  exists: (path: string) => boolean,
): Violation[] {
  return text.split('\n').flatMap((line, index) =>
    [...line.matchAll(/`((?:src|test|bench|scripts|docs|examples|\.ci)\/[\w./*-]*)`/g)]
      .map((match) => match[1] ?? '')
      .filter((named) => !named.includes('*') && !exists(named))
      .map((named) => ({ path, line: index + 1, what: `names ${named}, which does not exist` })),
  )
}
