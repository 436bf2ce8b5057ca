import type { SourceFile, Violation } from './source-tree.ts'

/** Files that import each other in a circle, type imports included; each circle is named once. */
export function checkCycles(files: readonly SourceFile[]): Violation[] {
  const imports = new Map(files.map((file) => [file.path, file.imports]))
  const done = new Set<string>()
  const violations: Violation[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) {
      const circle = [...trail.slice(at), path].join(' -> ')
      violations.push({ path, line: 0, what: `import cycle: ${circle}` })
      return
    }
    if (done.has(path)) return
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const file of files) visit(file.path, [])
  return violations
}

/** Where execution starts; everything else must be reached from here. Product code that only tests
 *  reach is dead. */
const entries = [/^src\/cli\/main\.ts$/, /^scripts\/[^/]+\.ts$/, /^bench\/main\.ts$/]
const testEntries = /\.test\.ts$/

/** Files that no entry reaches. */
export function checkDeadFiles(files: readonly SourceFile[]): Violation[] {
  const isEntry = (path: string): boolean => entries.some((pattern) => pattern.test(path))
  const product = reach(files, isEntry)
  const all = reach(files, (path) => isEntry(path) || testEntries.test(path))
  return files.flatMap((file) => {
    const alive = file.path.startsWith('src/') ? product : all
    if (alive.has(file.path)) return []
    const why = all.has(file.path) ? 'only tests import it' : 'nothing imports it'
    return [{ path: file.path, line: 0, what: `dead file: ${why}` }]
  })
}

function reach(files: readonly SourceFile[], isEntry: (path: string) => boolean): Set<string> {
  const imports = new Map(files.map((file) => [file.path, file.imports]))
  const reached = new Set<string>()
  const queue = files.map((file) => file.path).filter(isEntry)
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    queue.push(...(imports.get(path) ?? []))
  }
  return reached
}
