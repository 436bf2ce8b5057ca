import { DecodeError } from '../../net/decode-error.ts'

/** One option of a rule with its arguments: `! -s 10.0.0.0/8` has name `-s` and is negated. */
export interface RuleOption {
  readonly name: string
  readonly isNegated: boolean
  readonly values: readonly string[]
}

/** A line of iptables-save, for errors. */
export interface Line {
  readonly source: string
  /** Counted from 1. */
  readonly number: number
  readonly text: string
}

/** Ends parsing with an error that names the file, the line, what was found and what was expected. */
export function refuseLine(line: Line, value: unknown, expected: string): never {
  throw new DecodeError(`${line.source}:${line.number}`, [{ path: ['rule'], value, expected }])
}

/** Splits a rule into words; double quotes hold words together, a backslash takes the next character
 *  as it is. */
export function splitWords(text: string): readonly string[] {
  const words = text.match(/"(?:[^"\\]|\\.)*"|[^\s"]+/g) ?? []
  return words.map((word) =>
    word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word,
  )
}

/** Groups the words of a rule (without `-A CHAIN`) into options. */
export function readOptions(line: Line, words: readonly string[]): readonly RuleOption[] {
  const options: { name: string; isNegated: boolean; values: string[] }[] = []
  let isNegated = false
  for (const word of words) {
    const current = options.at(-1)
    if (word === '!') isNegated = true
    else if (/^--?[a-z]/i.test(word) && !takesAnyWord(current)) {
      options.push({ name: word, isNegated, values: [] })
      isNegated = false
    } else if (current === undefined) refuseLine(line, word, 'an option')
    else current.values.push(word)
  }
  return options
}

/** A comment may begin with a dash. */
function takesAnyWord(option: RuleOption | undefined): boolean {
  return option?.name === '--comment' && option.values.length === 0
}
