import { type Request, withQuestion } from '../chain/request.ts'
import type { NameMatch, NameRule } from '../corefile/decode-rewrite.ts'
import type { DnsName } from '../wire/name.ts'
import type { AnswerChange, Rename, Rewritten } from './rewrite-answer.ts'

/** The request for another name, when the rule takes its name, and how the answer is turned back. */
export function rewriteName(rule: NameRule, request: Request): Rewritten | undefined {
  if (!matchesName(rule.match, request.name)) return undefined
  const name = replaceInName(rule.match, rule.to, request.name)
  const stated = rule.answers.map(({ part, pattern, to }): AnswerChange => {
    const rename: Rename = (before) => {
      const groups = pattern.exec(before)
      return groups === null ? before : fillGroups(to, groups)
    }
    return { kind: 'names', part, rename }
  })
  const rename = turnedBack(rule, name, request.name)
  const automatic = (['name', 'value'] as const).map(
    (part): AnswerChange => ({ kind: 'names', part, rename }),
  )
  const changes = rule.isAuto ? [...automatic, ...stated] : stated
  return { request: withQuestion(request, { ...request.question, name }), changes }
}

/** Whether a name in lower case is one that a rule takes. */
export function matchesName(match: NameMatch, name: string): boolean {
  switch (match.kind) {
    case 'exact':
      return name === match.text
    case 'prefix':
      return name.startsWith(match.text)
    case 'suffix':
      return name.endsWith(match.text)
    case 'substring':
      return name.includes(match.text)
    case 'regex':
      return match.pattern.test(name)
  }
}

/** The name with what a rule takes replaced; only for names that it takes. */
export function replaceInName(match: NameMatch, to: string, name: string): string {
  switch (match.kind) {
    case 'exact':
      return to
    case 'prefix':
      return to + name.slice(match.text.length)
    case 'suffix':
      return name.slice(0, name.length - match.text.length) + to
    case 'substring':
      return name.replaceAll(match.text, () => to)
    case 'regex':
      return fillGroups(to, match.pattern.exec(name) ?? [])
  }
}

/** The way back: for suffixes every name with the new suffix, else the new name and all below it. */
function turnedBack({ match, to }: NameRule, asked: DnsName, original: DnsName): Rename {
  if (match.kind === 'suffix') {
    return (name) =>
      name.endsWith(to) ? name.slice(0, name.length - to.length) + match.text : name
  }
  return (name) => {
    if (name === asked) return original
    if (!name.endsWith(`.${asked}`)) return name
    return name.slice(0, name.length - asked.length) + original
  }
}

/** `{1}` becomes the first group; one that did not take part is empty. */
function fillGroups(to: string, groups: readonly (string | undefined)[]): string {
  return groups.reduce<string>(
    (text, group, index) => text.replaceAll(`{${index}}`, () => group ?? ''),
    to,
  )
}
