import { at, type Place, refuse, stringAt, tagAt } from './json-shape.ts'
import type { FieldText } from './nft-pattern.ts'
import type { NftSet } from './nft-sets.ts'
import type { Chain, Effect } from './packet-walk.ts'

/** What the rules of one table can name. */
export interface NftTable {
  /** `ip`, `ip6` or `inet`. */
  readonly family: string
  readonly name: string
  readonly chains: Map<string, Chain>
  readonly sets: Map<string, NftSet<true>>
  readonly dataMaps: Map<string, NftSet<FieldText>>
  readonly verdictMaps: Map<string, NftSet<Effect>>
}

/** The object that `@name` or `name` stands for; an error when the table has none. */
export function named<T>(place: Place, objects: ReadonlyMap<string, T>, value: unknown): T {
  const name = stringAt(place, value).replace(/^@/, '')
  return objects.get(name) ?? refuse(place, value, 'the name of an object of this table')
}

/** Decodes a verdict statement: accept, drop, continue, return, jump or goto. */
export function decodeVerdict(table: NftTable, place: Place, value: unknown): Effect {
  const [tag, body] = tagAt(place, value)
  switch (tag) {
    case 'accept':
    case 'drop':
    case 'return':
      return tag
    case 'continue':
      return 'break'
    case 'jump':
    case 'goto': {
      const target = (body as { target?: unknown } | null)?.target
      return { kind: tag, chain: named(at(place, tag, 'target'), table.chains, target) }
    }
    default:
      return refuse(place, value, 'accept, drop, continue, return, jump or goto')
  }
}
