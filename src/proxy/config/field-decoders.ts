import type { Fault } from '../../net/decode-error.ts'
import { parseGoDuration } from '../../net/go-duration.ts'
import { nearestWord } from './nearest-word.ts'

/** Where a value stands, and where its faults are collected. */
export interface Place {
  readonly path: readonly (string | number)[]
  readonly faults: Fault[]
}

/** Decodes one field. Absent (or null, as in Go's JSON) gives `absent`; a wrong value adds a fault to the
 *  place and gives `absent` too, so that decoding goes on and finds the other faults. */
export interface FieldDecoder<T> {
  readonly absent: T
  decode(value: unknown, place: Place): T
}

/** The decoded type of a section's fields. */
export type DecodedFields<F extends Readonly<Record<string, FieldDecoder<unknown>>>> = {
  readonly [N in keyof F]: F[N] extends FieldDecoder<infer T> ? T : never
}

/** An object with exactly these fields; any other is a fault that names the nearest known one. */
export function section<F extends Readonly<Record<string, FieldDecoder<unknown>>>>(
  fields: F,
): FieldDecoder<DecodedFields<F>> {
  const names = Object.keys(fields)
  const build = (decodeOne: (name: string, field: FieldDecoder<unknown>) => unknown) =>
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, decodeOne(name, field)]),
    ) as DecodedFields<F>
  const absent = build((_, field) => field.absent)
  return {
    absent,
    decode(value, place) {
      const record = asRecord(value, place)
      if (record === undefined) return absent
      for (const name of Object.keys(record)) {
        if (Object.hasOwn(fields, name)) continue
        const near = nearestWord(name, names)
        const hint = near === undefined ? `one of ${names.join(', ')}` : `"${near}"`
        fault(below(place, name), record[name], `no such field here (${hint})`)
      }
      return build((name, field) =>
        Object.hasOwn(record, name) && record[name] !== null
          ? field.decode(record[name], below(place, name))
          : field.absent,
      )
    },
  }
}

/** A text; `check` returns what is wrong with it, as the end of "expected ...". */
export function text<A extends string | undefined>(
  absent: A,
  check: (value: string) => string | undefined = () => undefined,
): FieldDecoder<string | A> {
  return refined(
    absent,
    'a string',
    (value) => (typeof value === 'string' ? value : undefined),
    check,
  )
}

/** One of the given words. */
export function oneOf<W extends string>(absent: W, words: readonly W[]): FieldDecoder<W> {
  const expected = words.map((word) => (word === '' ? 'blank' : word)).join(', ')
  return refined(absent, `one of ${expected}`, (value) => words.find((word) => word === value))
}

/** true or false. */
export function flag<A extends boolean | undefined>(absent: A): FieldDecoder<boolean | A> {
  return refined(absent, 'true or false', (value) =>
    typeof value === 'boolean' ? value : undefined,
  )
}

/** A whole number from `lowest` to `highest`. */
export function integer<A extends number | undefined>(
  absent: A,
  lowest: number,
  highest: number,
): FieldDecoder<number | A> {
  const expected = `a whole number ${lowest}..${highest}`
  return refined(absent, expected, (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= lowest && value <= highest
      ? value
      : undefined,
  )
}

/** A finite number. */
export function decimal(absent: number): FieldDecoder<number> {
  return refined(absent, 'a number', (value) =>
    typeof value === 'number' && Number.isFinite(value) ? value : undefined,
  )
}

/** A duration in Go's syntax, decoded to milliseconds; `lowest` is `positive` (more than 0) or
 *  `zero` (0 or more). */
export function duration<A extends number | undefined>(
  absent: A,
  lowest: 'positive' | 'zero',
): FieldDecoder<number | A> {
  const expected =
    lowest === 'positive'
      ? 'a duration greater than 0 such as "30s" or "1m30s"'
      : 'a duration of 0 or more such as "30s" or "1m30s"'
  return refined(absent, expected, (value) => {
    const durationMs = typeof value === 'string' ? parseGoDuration(value) : undefined
    if (durationMs === undefined || durationMs < 0) return undefined
    return lowest === 'positive' && durationMs === 0 ? undefined : durationMs
  })
}

/** A list of texts, each checked like `text`. */
export function textList(
  check: (value: string) => string | undefined,
): FieldDecoder<readonly string[]> {
  return listOf(text('', check))
}

/** A list of one kind of item. */
export function listOf<T>(item: FieldDecoder<T>): FieldDecoder<readonly T[]> {
  return {
    absent: [],
    decode(value, place) {
      if (Array.isArray(value))
        return value.map((entry, at) => item.decode(entry, below(place, at)))
      fault(place, value, 'a list')
      return []
    },
  }
}

/** An object whose values are all true or false. */
export const flagMap: FieldDecoder<Readonly<Record<string, boolean>>> = {
  absent: {},
  decode(value, place) {
    const record = asRecord(value, place) ?? {}
    return Object.fromEntries(
      Object.entries(record).map(([name, entry]) => [
        name,
        flag(false).decode(entry, below(place, name)),
      ]),
    )
  },
}

/** Adds a fault at the place. */
export function fault(place: Place, value: unknown, expected: string): void {
  place.faults.push({ path: place.path, value, expected })
}

/** The place of a field or item inside this one. */
export function below(place: Place, step: string | number): Place {
  return { path: [...place.path, step], faults: place.faults }
}

function refined<T, A extends T | undefined>(
  absent: A,
  expected: string,
  narrow: (value: unknown) => T | undefined,
  check: (value: T) => string | undefined = () => undefined,
): FieldDecoder<T | A> {
  return {
    absent,
    decode(value, place) {
      const narrowed = narrow(value)
      const problem = narrowed === undefined ? expected : check(narrowed)
      if (narrowed !== undefined && problem === undefined) return narrowed
      fault(place, value, problem ?? expected)
      return absent
    },
  }
}

function asRecord(value: unknown, place: Place): Readonly<Record<string, unknown>> | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>
  }
  fault(place, value, 'an object')
  return undefined
}
