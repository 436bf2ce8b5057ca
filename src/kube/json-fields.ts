import { DecodeError, type Fault } from '../net/decode-error.ts'

/** A JSON object whose members have not been looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The value as a JSON object, or undefined when it is something else (arrays included). */
export function asJsonObject(value: unknown): JsonObject | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return value as JsonObject
}

/** Shared, so that thousands of objects without labels cost nothing. */
const emptyObject: JsonObject = Object.freeze({})
const emptyMap: Readonly<Record<string, string>> = Object.freeze({})
const emptyList: readonly never[] = Object.freeze([])

/** People read the faults; an object with thousands of them is described by the first ones. */
const maxFaults = 32

/** Labels and annotations of one object; the API server allows 256 KiB of annotations in total. */
const maxMapEntries = 4096
const maxMapValueCharacters = 262_144

/** Reads typed members of JSON objects and collects every fault with its path, so that one pass
 *  tells all of them. As in Go's JSON, null is the same as absent; absent gives the fallback. A
 *  wrong value gives the fallback too and adds a fault; `finish` throws when there was any. */
export class FieldReader {
  readonly #path: (string | number)[] = []
  readonly #faults: Fault[] = []

  get hasFaults(): boolean {
    return this.#faults.length > 0
  }

  /** Goes down one step; every later fault has it in its path until `leave`. */
  enter(step: string | number): void {
    this.#path.push(step)
  }

  leave(): void {
    this.#path.pop()
  }

  /** Adds a fault of member `name` of the object that is being read. */
  fault(name: string | number, value: unknown, expected: string): void {
    if (this.#faults.length >= maxFaults) return
    this.#faults.push({ path: [...this.#path, name], value: summary(value), expected })
  }

  /** Like `fault`, but without the value: credentials never stand in an error. */
  secretFault(name: string, expected: string): void {
    this.fault(name, '(hidden)', expected)
  }

  /** Throws a DecodeError with all faults, named after `source`, when there was any. */
  finish(source: string): void {
    if (this.#faults.length > 0) throw new DecodeError(source, this.#faults)
  }

  text(parent: JsonObject, name: string, maxCharacters: number, fallback = ''): string {
    const value = parent[name]
    if (value === undefined || value === null) return fallback
    if (typeof value === 'string' && value.length <= maxCharacters) return value
    this.fault(name, value, `a string of at most ${maxCharacters} characters`)
    return fallback
  }

  /** Like `text` for passwords, tokens and keys: a fault does not show the value. */
  secret(parent: JsonObject, name: string, maxCharacters: number): string {
    const value = parent[name]
    if (value === undefined || value === null) return ''
    if (typeof value === 'string' && value.length <= maxCharacters) return value
    this.secretFault(name, `a string of at most ${maxCharacters} characters`)
    return ''
  }

  boolean<T>(parent: JsonObject, name: string, fallback: T): boolean | T {
    const value = parent[name]
    if (value === undefined || value === null) return fallback
    if (typeof value === 'boolean') return value
    this.fault(name, value, 'true or false')
    return fallback
  }

  integer<T>(
    parent: JsonObject,
    name: string,
    range: { readonly min: number; readonly max: number },
    fallback: T,
  ): number | T {
    const value = parent[name]
    if (value === undefined || value === null) return fallback
    if (typeof value === 'number' && Number.isInteger(value)) {
      if (value >= range.min && value <= range.max) return value
    }
    this.fault(name, value, `a whole number ${range.min}..${range.max}`)
    return fallback
  }

  /** One of a few texts; an empty text counts as absent, as it does in API defaulting. */
  choice<T extends string>(
    parent: JsonObject,
    name: string,
    choices: readonly T[],
    fallback: T,
  ): T {
    const value = parent[name]
    if (value === undefined || value === null || value === '') return fallback
    for (const choice of choices) if (value === choice) return choice
    this.fault(name, value, `one of ${choices.join(', ')}`)
    return fallback
  }

  object(parent: JsonObject, name: string): JsonObject {
    const value = parent[name]
    if (value === undefined || value === null) return emptyObject
    const object = asJsonObject(value)
    if (object === undefined) this.fault(name, value, 'an object')
    return object ?? emptyObject
  }

  list(parent: JsonObject, name: string, maxCount: number): readonly unknown[] {
    const value = parent[name]
    if (value === undefined || value === null) return emptyList
    if (Array.isArray(value) && value.length <= maxCount) return value
    this.fault(name, value, `a list of at most ${maxCount} items`)
    return emptyList
  }

  /** A list of objects; `read` is called for each with the path inside it, undefined leaves it
   *  out. */
  objects<T>(
    parent: JsonObject,
    name: string,
    maxCount: number,
    read: (item: JsonObject, index: number) => T | undefined,
  ): readonly T[] {
    const list = this.list(parent, name, maxCount)
    if (list.length === 0) return emptyList
    const items: T[] = []
    this.enter(name)
    for (let index = 0; index < list.length; index++) {
      const object = asJsonObject(list[index])
      if (object === undefined) {
        this.fault(index, list[index], 'an object')
        continue
      }
      this.enter(index)
      const item = read(object, index)
      this.leave()
      if (item !== undefined) items.push(item)
    }
    this.leave()
    // The copy has no spare capacity: pushing reserves up to 17 slots, and these lists are kept.
    return items.slice()
  }

  texts(
    parent: JsonObject,
    name: string,
    maxCount: number,
    maxCharacters: number,
  ): readonly string[] {
    const list = this.list(parent, name, maxCount)
    if (list.length === 0) return emptyList
    const items: string[] = []
    this.enter(name)
    for (let index = 0; index < list.length; index++) {
      const value = list[index]
      if (typeof value === 'string' && value.length <= maxCharacters) items.push(value)
      else this.fault(index, value, `a string of at most ${maxCharacters} characters`)
    }
    this.leave()
    return items
  }

  /** A map of texts, not copied when it is right. */
  textMap(parent: JsonObject, name: string): Readonly<Record<string, string>> {
    const object = this.object(parent, name)
    let count = 0
    this.enter(name)
    for (const key in object) {
      const value = object[key]
      if (++count > maxMapEntries) {
        this.fault(key, value, `at most ${maxMapEntries} entries`)
        break
      }
      if (typeof value !== 'string' || value.length > maxMapValueCharacters) {
        this.fault(key, value, `a string of at most ${maxMapValueCharacters} characters`)
      }
    }
    this.leave()
    return count === 0 ? emptyMap : (object as Readonly<Record<string, string>>)
  }
}

const maxSummaryCharacters = 100

/** What a fault keeps of a value: a large or even cyclic one (YAML aliases) must not be held, nor
 *  formatted whole. */
function summary(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, maxSummaryCharacters)
  if (Array.isArray(value)) return `(a list of ${value.length})`
  return typeof value === 'object' && value !== null ? '(an object)' : value
}
