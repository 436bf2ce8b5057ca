import type { SourceFile, Violation } from './source-tree.ts'

/** Lines that a file may have. */
export const maximumFileLines = 400

/** Lines that a function may have, from its first to its last. */
export const maximumFunctionLines = 70

/** Files over the budget, by name with their length. This list may only shrink: pure tables only. */
export const longFiles: ReadonlyMap<string, number> = new Map([])

/** Files that are too long, and exemptions that are not needed any more. */
export function checkFileLengths(
  files: readonly SourceFile[],
  exemptions: ReadonlyMap<string, number>,
): Violation[] {
  const violations = files.flatMap((file) => {
    const length = file.text.trimEnd().split('\n').length
    const limit = exemptions.get(file.path) ?? maximumFileLines
    if (length > limit) return [whole(file.path, `has ${length} lines, allowed are ${limit}`)]
    if (!exemptions.has(file.path) || length === limit) return []
    return [whole(file.path, `has shrunk to ${length} lines: lower or remove its exemption`)]
  })
  const paths = new Set(files.map((file) => file.path))
  const stale = [...exemptions.keys()].filter((path) => !paths.has(path))
  return [...violations, ...stale.map((path) => whole(path, 'is exempt, but does not exist'))]
}

/** Functions that are too long. The formatter closes a function on the first later line that is
 *  indented like its first line and starts with a brace, so lines are enough to find its end. */
export function checkFunctionLengths(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) =>
    file.lines.flatMap((line, index) => {
      if (!opensFunction(line)) return []
      const length = functionEnd(file.lines, index) - index + 1
      if (length <= maximumFunctionLines) return []
      return [
        {
          path: file.path,
          line: index + 1,
          what: `function of ${length} lines, allowed are ${maximumFunctionLines}: split it`,
        },
      ]
    }),
  )
}

const controlWords = '(?:if|for|while|switch|catch|do|else|try|return|throw|new|await|case|with)'
const functionStarts = [
  /^\s*(?:export )?(?:async )?function\b/,
  /=> \{$/,
  new RegExp(
    `^\\s+(?:static |async |get |set |\\*)*(?!${controlWords}\\b)#?\\w+(?:<.*>)?\\(.*\\{$`,
  ),
  new RegExp(`^ {2}(?:static |async )*(?!${controlWords}\\b)#?\\w+(?:<.*>)?\\($`),
]

function opensFunction(line: string): boolean {
  return functionStarts.some((pattern) => pattern.test(line))
}

function functionEnd(lines: readonly string[], start: number): number {
  const indent = lines[start]?.match(/^\s*/)?.[0] ?? ''
  for (let index = start + 1; index < lines.length; index++) {
    const line = lines[index] ?? ''
    if (!line.startsWith(indent)) {
      if (line.trim() !== '') return index
      continue
    }
    const rest = line.slice(indent.length)
    // `}: Options): Result {` ends a parameter list, not the body.
    if (/^[})]/.test(rest) && !rest.endsWith('{')) return index
  }
  return lines.length - 1
}

function whole(path: string, what: string): Violation {
  return { path, line: 0, what }
}
