import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkPublicText } from './bans.ts'
import type { Violation } from './source-tree.ts'

/** Folders that are never committed. */
const ignoredFolders = new Set(['.git', '.cache', 'node_modules', 'dist'])

/** Larger files do not belong into a repository of text, bytes. */
const maximumFileBytes = 1024 * 1024

/** Files that hold text for people or tools, by how their names end. */
const textFile = /\.(?:ts|md|json|ya?ml|sh|txt|js)$|\/(?:run|LICENSE)$/

/** Every file of the repository at `root`, relative to it. */
export function listFiles(root: string): string[] {
  const list = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) return ignoredFolders.has(entry.name) ? [] : list(path)
      return entry.isFile() && !entry.name.endsWith('.tgz') ? [path] : []
    })
  return list('').sort()
}

/** Large files, and texts that name what a repository must not name. */
export function checkFiles(root: string, paths: readonly string[]): Violation[] {
  return paths.flatMap((path) => {
    const size = statSync(join(root, path)).size
    if (size > maximumFileBytes) {
      return [{ path, line: 0, what: `has ${size} bytes, allowed are ${maximumFileBytes}` }]
    }
    return textFile.test(`/${path}`) ? checkPublicText(path, readRepositoryFile(root, path)) : []
  })
}

/** The text of a file of the repository. Throws when it is missing. */
export function readRepositoryFile(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Whether a path of the repository exists. */
export function hasRepositoryFile(root: string, path: string): boolean {
  return existsSync(join(root, path))
}
