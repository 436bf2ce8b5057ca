import { DecodeError } from '../../net/decode-error.ts'

/** Where a value stands in the document that is decoded, for errors. */
export interface Place {
  readonly source: string
  readonly path: readonly (string | number)[]
}

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The place of a member. */
export function at(place: Place, ...steps: readonly (string | number)[]): Place {
  return { source: place.source, path: [...place.path, ...steps] }
}

/** Ends decoding with an error that says where, what was found and what was expected. */
export function refuse(place: Place, value: unknown, expected: string): never {
  throw new DecodeError(place.source, [{ path: place.path, value, expected }])
}

/** The value as an object whose keys are all known; anything else is an error. */
export function objectAt(place: Place, value: unknown, known?: readonly string[]): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(place, value, 'an object')
  }
  const object = value as JsonObject
  if (known !== undefined) {
    for (const key of Object.keys(object)) {
      if (!known.includes(key)) refuse(at(place, key), object[key], `only ${known.join(', ')}`)
    }
  }
  return object
}

/** The value as a list. */
export function listAt(place: Place, value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(place, value, 'a list')
}

/** The value as a string. */
export function stringAt(place: Place, value: unknown): string {
  return typeof value === 'string' ? value : refuse(place, value, 'a string')
}

/** The value as a number that is whole and not negative. */
export function numberAt(place: Place, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    return refuse(place, value, 'a whole number')
  }
  return value
}

/** The only key of an object (nft's way to write a tagged union) and its value. */
export function tagAt(place: Place, value: unknown): readonly [string, unknown] {
  const entries = Object.entries(objectAt(place, value))
  const [entry] = entries
  if (entry === undefined || entries.length !== 1) {
    return refuse(place, value, 'an object with one key')
  }
  return entry
}
