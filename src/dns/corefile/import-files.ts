import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { ImportedFile } from './parse-corefile.ts'

/** Reads the files that an `import` means: a path or a pattern with `*` or `?` in its last part, relative
 *  to the file that imports, in alphabetical order. Undefined when a plain file cannot be read. */
export function importFiles(
  pattern: string,
  importer: string,
): readonly ImportedFile[] | undefined {
  const path = resolve(dirname(resolve(importer)), pattern)
  if (!/[*?]/.test(pattern)) {
    const text = readText(path)
    return text === undefined ? undefined : [{ file: path, text }]
  }
  const folder = dirname(path)
  const matches = patternOf(basename(path))
  return listFolder(folder)
    .filter((name) => matches.test(name))
    .flatMap((name) => {
      const file = join(folder, name)
      const text = readText(file)
      return text === undefined ? [] : [{ file, text }]
    })
}

function patternOf(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`)
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
