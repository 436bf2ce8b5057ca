import { nameKey } from '../wire/name.ts'
import { recordClasses } from '../wire/numbers.ts'
import { refuse, refuseUnknown } from './corefile-error.ts'
import { decodeRecordType } from './decode-acl.ts'
import { decodeRcode } from './decode-forward.ts'
import { decodeRewriteEdns, type EdnsRule } from './decode-rewrite-edns.ts'
import { decodeRegExp } from './decode-words.ts'
import { groupCount } from './go-regexp.ts'
import type { Entry } from './parse-corefile.ts'
import type { Token } from './token.ts'

/** One `rewrite` directive. */
export interface RewriteRule {
  /** After this rule no other is tried, if it applied. */
  readonly isLast: boolean
  readonly change: RewriteChange
}

/** What a rule changes in the question, and afterwards in the answer. */
export type RewriteChange =
  | NameRule
  | EdnsRule
  | { readonly kind: 'class'; readonly from: number; readonly to: number }
  | { readonly kind: 'type'; readonly from: number; readonly to: number }
  | { readonly kind: 'ttl'; readonly match: NameMatch; readonly min: number; readonly max: number }
  | {
      readonly kind: 'rcode'
      readonly match: NameMatch
      readonly from: number
      readonly to: number
    }
  | { readonly kind: 'cname'; readonly match: NameMatch; readonly to: string }

/** A rule that asks for another name. */
export interface NameRule {
  readonly kind: 'name'
  readonly match: NameMatch
  /** With `{1}` for groups of a regular expression. */
  readonly to: string
  /** Names in the answer are turned back. */
  readonly isAuto: boolean
  readonly answers: readonly AnswerRule[]
}

/** Which names a rule takes; compared in lower case. */
export type NameMatch =
  | { readonly kind: 'exact' | 'prefix' | 'suffix' | 'substring'; readonly text: string }
  | { readonly kind: 'regex'; readonly pattern: RegExp }

/** A change of owner names or of names in the data of the answer's records. */
export interface AnswerRule {
  readonly part: 'name' | 'value'
  readonly pattern: RegExp
  readonly to: string
}

const matchKinds = ['exact', 'prefix', 'suffix', 'substring', 'regex'] as const
const ruleKinds = ['name', 'class', 'type', 'edns0', 'ttl', 'cname', 'rcode'] as const

/** Decodes `rewrite [continue|stop] KIND ...`, on one line or in braces. */
export function decodeRewrite(entry: Entry): RewriteRule {
  const [head, ...inline] = entry.words
  const inBraces = (entry.body ?? []).flatMap((line) => [...line.words])
  const words = inline.length < 2 ? [...inline, ...inBraces] : inline
  const [mode] = words
  const hasMode = mode !== undefined && /^(?:continue|stop)$/i.test(mode.text)
  const [kind, ...rest] = hasMode ? words.slice(1) : words
  if (kind === undefined) refuse(head, `expected a rule: ${ruleKinds.join(', ')}`)
  const isLast = !(hasMode && mode.text.toLowerCase() === 'continue')
  return { isLast, change: decodeChange(kind, rest) }
}

function decodeChange(kind: Token, words: readonly Token[]): RewriteChange {
  switch (kind.text.toLowerCase()) {
    case 'name':
      return decodeNameRule(kind, words)
    case 'class': {
      const [from, to] = pair(kind, words)
      return { kind: 'class', from: decodeClass(from), to: decodeClass(to) }
    }
    case 'type': {
      const [from, to] = pair(kind, words).map(upperCase)
      return {
        kind: 'type',
        from: decodeRecordType(from ?? kind),
        to: decodeRecordType(to ?? kind),
      }
    }
    case 'edns0':
      return decodeRewriteEdns(kind, words)
    case 'ttl':
      return decodeTtlRule(kind, words)
    case 'rcode':
      return decodeRcodeRule(kind, words)
    case 'cname': {
      const { match, rest } = decodeMatch(kind, words, lowerCase)
      const [to] = exactly(kind, rest, 1)
      return { kind: 'cname', match, to: nameKey((to ?? kind).text) }
    }
    default:
      refuseUnknown(kind, 'rewrite rule', ruleKinds)
  }
}

function decodeNameRule(kind: Token, words: readonly Token[]): NameRule {
  const { match, rest } = decodeMatch(kind, words)
  const [to, ...answerWords] = rest
  if (to === undefined) refuse(kind, 'name needs what to match and what to ask instead')
  if (match.kind === 'regex') checkGroups(to, match.pattern)
  const { isAuto, answers } = decodeAnswers(answerWords)
  // An exact rule turns names back without being told, as in CoreDNS.
  return {
    kind: 'name',
    match,
    to: absolute(to),
    isAuto: isAuto || match.kind === 'exact',
    answers,
  }
}

/** `answer auto`, `answer name FROM TO`, `answer value FROM TO`, the word `answer` once or each time. */
function decodeAnswers(words: readonly Token[]): {
  readonly isAuto: boolean
  readonly answers: readonly AnswerRule[]
} {
  const [first] = words
  if (first !== undefined && first.text !== 'answer') refuse(first, 'expected "answer"')
  let isAuto = false
  const answers: AnswerRule[] = []
  for (let index = 0; index < words.length; ) {
    if (words[index]?.text === 'answer') index++
    const part = words[index] ?? words[index - 1]
    if (part === undefined) break
    if (part.text === 'auto') {
      isAuto = true
      index++
      continue
    }
    if (part.text !== 'name' && part.text !== 'value') {
      refuseUnknown(part, 'answer rule', ['auto', 'name', 'value'])
    }
    const [from, to] = [words[index + 1], words[index + 2]]
    if (from === undefined || to === undefined) refuse(part, 'needs a pattern and a replacement')
    const pattern = decodeRegExp(from)
    checkGroups(to, pattern)
    answers.push({ part: part.text, pattern, to: absolute(to) })
    index += 3
  }
  if (first !== undefined && isAuto && answers.some((answer) => answer.part === 'name')) {
    refuse(first, '"answer auto" and "answer name" exclude each other')
  }
  return { isAuto, answers }
}

function decodeTtlRule(kind: Token, words: readonly Token[]): RewriteChange {
  const { match, rest } = decodeMatch(kind, words)
  const [range] = exactly(kind, rest, 1)
  const parts = /^([0-9]{0,10})(-)?([0-9]{0,10})$/.exec(range?.text ?? '')
  const [, low = '', dash, high = ''] = parts ?? []
  if (range === undefined || parts === null || low + high === '') {
    refuse(range ?? kind, 'expected seconds or a range like 30-300')
  }
  const min = low === '' ? 0 : Number(low)
  const max = dash === undefined ? min : high === '' ? 0x7fffffff : Number(high)
  if (min > max) refuse(range, 'the range ends before it starts')
  return { kind: 'ttl', match, min, max }
}

function decodeRcodeRule(kind: Token, words: readonly Token[]): RewriteChange {
  const { match, rest } = decodeMatch(kind, words)
  const [from, to] = exactly(kind, rest, 2)
  return { kind: 'rcode', match, from: decodeCode(from ?? kind), to: decodeCode(to ?? kind) }
}

function decodeCode(token: Token): number {
  return /^[0-9]{1,2}$/.test(token.text) && Number(token.text) <= 23
    ? Number(token.text)
    : decodeRcode(token)
}

/** `[exact|prefix|suffix|substring|regex] TEXT`, and what follows. */
function decodeMatch(
  kind: Token,
  words: readonly Token[],
  normalize: (token: Token) => string = absolute,
): { readonly match: NameMatch; readonly rest: readonly Token[] } {
  const [first, second] = words
  const named = matchKinds.find((word) => word === first?.text.toLowerCase())
  const hasKind = named !== undefined && words.length > 2
  const text = hasKind ? second : first
  if (text === undefined) refuse(kind, `${JSON.stringify(kind.text)} needs a name to match`)
  const rest = words.slice(hasKind ? 2 : 1)
  if (hasKind && named === 'regex') {
    return { match: { kind: 'regex', pattern: decodeRegExp(text) }, rest }
  }
  return {
    match: { kind: hasKind && named !== 'regex' ? named : 'exact', text: normalize(text) },
    rest,
  }
}

/** In lower case and with a final dot: CoreDNS adds one even to prefixes and substrings that end
 *  without. */
function absolute(token: Token): string {
  const text = nameKey(token.text)
  return text.endsWith('.') ? text : `${text}.`
}

function lowerCase(token: Token): string {
  return nameKey(token.text)
}

function checkGroups(to: Token, pattern: RegExp): void {
  const used = [...to.text.matchAll(/\{([0-9]+)\}/g)].map((match) => Number(match[1]))
  const most = Math.max(0, ...used)
  if (most > groupCount(pattern)) refuse(to, `the pattern has no group {${most}}`)
}

function pair(kind: Token, words: readonly Token[]): readonly [Token, Token] {
  const [from, to] = exactly(kind, words, 2)
  return [from ?? kind, to ?? kind]
}

function exactly(kind: Token, words: readonly Token[], count: number): readonly Token[] {
  if (words.length === count) return words
  refuse(kind, `${JSON.stringify(kind.text)}: the rule has too many or too few words`)
}

function decodeClass(token: Token): number {
  const number = (recordClasses as Readonly<Record<string, number>>)[token.text.toUpperCase()]
  if (number === undefined) refuseUnknown(token, 'class', Object.keys(recordClasses))
  return number
}

function upperCase(token: Token): Token {
  return { ...token, text: token.text.toUpperCase() }
}
