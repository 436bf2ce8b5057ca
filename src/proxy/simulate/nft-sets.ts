import { at, type JsonObject, listAt, numberAt, type Place, refuse } from './json-shape.ts'
import { decodePattern, type FieldText, type Pattern } from './nft-pattern.ts'

/** A set or map, indexed for look-ups. Of a set the data of every element is `true`. */
export interface NftSet<D> {
  /** The timeout that elements added by packets get, seconds; 0: none. */
  readonly timeoutSeconds: number
  /** Data of the element that holds the text; undefined: none does. */
  lookUp(text: FieldText): D | undefined
}

/** Indexes elements: exact ones by hash, intervals and wildcards in a list behind them. */
export function indexElements<D>(
  elements: readonly (readonly [Pattern, D])[],
  timeoutSeconds: number,
): NftSet<D> {
  const exact = new Map<FieldText, D>()
  const patterns: (readonly [Pattern, D])[] = []
  for (const element of elements) {
    const [pattern, data] = element
    if (pattern.exact === undefined) patterns.push(element)
    else exact.set(pattern.exact, data)
  }
  return {
    timeoutSeconds,
    lookUp: (text) => exact.get(text) ?? patterns.find(([pattern]) => pattern.matches(text))?.[1],
  }
}

/** Elements of a set: constants, or `elem` objects that carry a comment, timeout or expiry. */
export function decodeSetElements(
  place: Place,
  value: unknown,
): readonly (readonly [Pattern, true])[] {
  return listAt(place, value).map((element, index) => [
    decodeKey(at(place, index), element),
    true as const,
  ])
}

/** Elements of a map: pairs of a key and data, which `decodeData` reads. */
export function decodeMapElements<D>(
  place: Place,
  value: unknown,
  decodeData: (place: Place, value: unknown) => D,
): readonly (readonly [Pattern, D])[] {
  return listAt(place, value).map((element, index) => {
    const here = at(place, index)
    const [key, data, ...rest] = listAt(here, element)
    if (rest.length > 0) refuse(here, element, 'a key and its data')
    return [decodeKey(at(here, 0), key), decodeData(at(here, 1), data)] as const
  })
}

/** The declared timeout of a set, seconds; undefined: packets do not fill it. */
export function decodeTimeout(place: Place, declaration: JsonObject): number | undefined {
  const flags = declaration.flags
  const names = flags === undefined ? [] : Array.isArray(flags) ? flags : [flags]
  for (const name of names) {
    if (!['constant', 'interval', 'timeout', 'dynamic'].includes(String(name))) {
      refuse(at(place, 'flags'), name, 'constant, interval, timeout or dynamic')
    }
  }
  const timeout = declaration.timeout
  if (timeout !== undefined) return numberAt(at(place, 'timeout'), timeout)
  return names.includes('timeout') || names.includes('dynamic') ? 0 : undefined
}

function decodeKey(place: Place, value: unknown): Pattern {
  if (typeof value === 'object' && value !== null && 'elem' in value) {
    const element = value.elem
    if (typeof element === 'object' && element !== null && 'val' in element) {
      return decodePattern(at(place, 'elem', 'val'), element.val)
    }
    return refuse(at(place, 'elem'), element, 'an element with val')
  }
  return decodePattern(place, value)
}
