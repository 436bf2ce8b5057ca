import { refuse } from './corefile-error.ts'
import { decodeChoice } from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'

/** The `header` directive: bits that are set or cleared. */
export interface HeaderSettings {
  readonly query: readonly HeaderRule[]
  readonly response: readonly HeaderRule[]
}

/** One bit of the header. */
export interface HeaderRule {
  readonly flag: (typeof flags)[number]
  readonly isSet: boolean
}

const flags = ['aa', 'ra', 'rd'] as const
const sides = ['query', 'response'] as const

/** Decodes `header { query|response set|clear FLAGS... }`. */
export function decodeHeader(entry: Entry): HeaderSettings {
  const query: HeaderRule[] = []
  const response: HeaderRule[] = []
  for (const line of entry.body ?? []) {
    const [side, action, ...words] = line.words.map((word) => ({
      ...word,
      text: word.text.toLowerCase(),
    }))
    const target = decodeChoice(side ?? entry.words[0], sides) === 'query' ? query : response
    if (action === undefined || words.length === 0) {
      refuse(line.words[0], 'expected "set" or "clear" and flags (aa, ra, rd)')
    }
    const isSet = decodeChoice(action, ['set', 'clear']) === 'set'
    for (const word of words) target.push({ flag: decodeChoice(word, flags), isSet })
  }
  if (query.length + response.length === 0) {
    refuse(entry.words[0], 'header needs at least one rule like "response set ra"')
  }
  return { query, response }
}
