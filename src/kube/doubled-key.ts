import { type Document, isScalar, visit } from 'yaml'

/** The first key that stands twice in one mapping of a YAML document, with its offset. The
 *  library's own check compares every key with every other one, which a hostile file turns into
 *  minutes. */
export function findDoubledKey(document: Document): { key: unknown; offset: number } | undefined {
  let doubled: { key: unknown; offset: number } | undefined
  visit(document, {
    Map(_, map) {
      const keys = new Set<unknown>()
      for (const { key } of map.items) {
        if (!isScalar(key) || key.value === '<<') continue
        if (keys.has(key.value)) {
          doubled = { key: key.value, offset: key.range?.[0] ?? 0 }
          return visit.BREAK
        }
        keys.add(key.value)
      }
      return undefined
    },
  })
  return doubled
}
