import { parseGoDuration } from '../../net/go-duration.ts'
import type { DnsName } from '../wire/name.ts'
import { refuse, refuseUnknown } from './corefile-error.ts'
import { goRegExp } from './go-regexp.ts'
import type { Entry } from './parse-corefile.ts'
import { zonesOrDefault } from './server-key.ts'
import type { Token } from './token.ts'

/** How many arguments an option takes. */
export interface Arity {
  readonly min: number
  /** Default: any number. */
  readonly max?: number
}

/** The words behind the first, counted. */
export function argumentsOf(entry: Entry, { min, max }: Arity): readonly Token[] {
  const [head, ...rest] = entry.words
  const extra = max === undefined ? undefined : rest[max]
  if (extra !== undefined) {
    const most = max === 0 ? 'no arguments' : `at most ${max} ${plural(max ?? 0)}`
    refuse(extra, `${JSON.stringify(head.text)} takes ${most}`)
  }
  if (rest.length < min) {
    refuse(head, `${JSON.stringify(head.text)} needs at least ${min} ${plural(min)}`)
  }
  return rest
}

/** Exactly one argument. */
export function argumentOf(entry: Entry): Token {
  const [first] = argumentsOf(entry, { min: 1, max: 1 })
  return first ?? entry.words[0]
}

/** The options in braces, each handed to its decoder by name; an unknown one is refused with the nearest
 *  known name. */
export function decodeOptions(
  entry: Entry,
  decoders: Readonly<Record<string, (option: Entry) => void>>,
): void {
  for (const option of entry.body ?? []) {
    const [head] = option.words
    const decode = Object.hasOwn(decoders, head.text) ? decoders[head.text] : undefined
    if (decode === undefined) {
      const known = Object.keys(decoders)
      refuseUnknown(head, `option of ${JSON.stringify(entry.words[0].text)}`, known)
    }
    if (option.body !== undefined) refuse(head, 'options have no braces of their own')
    decode(option)
  }
}

/** Refuses braces behind a directive that has none. */
export function refuseBody(entry: Entry): void {
  const [first] = entry.body ?? []
  if (first === undefined) return
  refuse(first.words[0], `${JSON.stringify(entry.words[0].text)} has no options`)
}

/** A decimal number within bounds, both included. */
export function decodeInteger(token: Token, min: number, max: number): number {
  const value = /^[+-]?[0-9]{1,15}$/.test(token.text) ? Number(token.text) : Number.NaN
  if (value >= min && value <= max) return value
  refuse(token, `got ${JSON.stringify(token.text)}, expected a number ${min}..${max}`)
}

/** Milliseconds, never negative. */
export function decodeDuration(token: Token): number {
  const value = parseGoDuration(token.text)
  if (value !== undefined && value >= 0) return value
  refuse(token, `got ${JSON.stringify(token.text)}, expected a duration like 30s, 500ms or 1h30m`)
}

/** One of a list of words. */
export function decodeChoice<Word extends string>(token: Token, words: readonly Word[]): Word {
  const found = words.find((word) => word === token.text)
  if (found !== undefined) return found
  refuseUnknown(token, 'value', words)
}

/** A regular expression in Go's notation. */
export function decodeRegExp(token: Token): RegExp {
  const expression = goRegExp(token.text)
  if (expression !== undefined) return expression
  refuse(token, `${JSON.stringify(token.text)} is not a regular expression (RE2 notation)`)
}

/** `ADDRESS:PORT`, `[ADDRESS]:PORT`, `NAME:PORT` or `:PORT` of a listener for people and dashboards. */
export function decodeListener(token: Token): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(token.text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) {
    refuse(token, `got ${JSON.stringify(token.text)}, expected an address and a port like :8080`)
  }
  return { host: match[1] ?? match[2] ?? '', port }
}

/** Zones of a `fallthrough` option; without arguments every zone. */
export function decodeFallthrough(option: Entry): readonly DnsName[] {
  return zonesOrDefault(argumentsOf(option, { min: 0 }), ['.'])
}

/** True, when the option has no arguments. */
export function isBare(option: Entry): true {
  argumentsOf(option, { min: 0, max: 0 })
  return true
}

function plural(count: number): string {
  return count === 1 ? 'argument' : 'arguments'
}
