import type { SourceFile, Violation } from './source-tree.ts'

/** Room to the rooms that it may import. A room is a folder under src/. */
export type Arrows = ReadonlyMap<string, readonly string[]>

/** Reads the table of the document: the lines `room -> room, room` of its block fenced as `arrows`.
 *  Throws when the block is missing or a line names a room that has no line of its own. */
export function parseArrows(document: string): Arrows {
  const block = document.match(/^```arrows\n([\s\S]*?)^```$/m)?.[1]
  if (block === undefined) throw new Error('docs/architecture.md has no block fenced as `arrows`')
  const arrows = new Map<string, readonly string[]>()
  for (const line of block.split('\n')) {
    const match = line.match(/^(\S+)\s*->\s*(.*)$/)
    if (match === null) continue
    const [, room = '', targets = ''] = match
    arrows.set(
      room,
      targets.split(',').flatMap((target) => (target.trim() === '' ? [] : [target.trim()])),
    )
  }
  for (const target of [...arrows.values()].flat()) {
    if (!arrows.has(target)) throw new Error(`docs/architecture.md: arrows name ${target}, no room`)
  }
  return arrows
}

/** Imports that no arrow allows, and imports through the wall of a room (C7): only files that lie
 *  directly in a room's folder may be imported from outside of it. */
export function checkArrows(files: readonly SourceFile[], arrows: Arrows): Violation[] {
  const sources = files.filter((file) => file.path.startsWith('src/'))
  return sources.flatMap((file) => {
    const room = roomOf(file.path, arrows)
    if (room === undefined) {
      return [violation(file, 'lies in no room of docs/architecture.md')]
    }
    return file.imports.flatMap((target) => checkImport(file, room, target, arrows))
  })
}

/** Arrows that lead upwards: a room that can reach itself. */
export function checkArrowCycles(arrows: Arrows): string[] {
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    (arrows.get(from) ?? []).some((next) => {
      if (next === to) return true
      if (seen.has(next)) return false
      seen.add(next)
      return reaches(next, to, seen)
    })
  return [...arrows.keys()].filter((room) => reaches(room, room, new Set()))
}

function checkImport(file: SourceFile, room: string, target: string, arrows: Arrows): Violation[] {
  if (!target.startsWith('src/')) return [violation(file, `imports ${target} from outside of src/`)]
  const targetRoom = roomOf(target, arrows)
  if (targetRoom === room) return []
  if (targetRoom === undefined) return [violation(file, `imports ${target}, which lies in no room`)]
  if (!(arrows.get(room) ?? []).includes(targetRoom)) {
    return [violation(file, `imports ${target}: no arrow ${room} -> ${targetRoom}`)]
  }
  const folder = target.slice('src/'.length, target.lastIndexOf('/'))
  if (folder === targetRoom) return []
  return [violation(file, `imports ${target}, which is not a door of room ${targetRoom}`)]
}

/** The longest room that prefixes the path. */
function roomOf(path: string, arrows: Arrows): string | undefined {
  return [...arrows.keys()]
    .filter((room) => path.startsWith(`src/${room}/`))
    .sort((a, b) => b.length - a.length)[0]
}

function violation(file: SourceFile, what: string): Violation {
  return { path: file.path, line: 0, what }
}
