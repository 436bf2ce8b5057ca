/** One entry of a zone file: a directive or a record, over several lines when in parentheses. */
export interface ZoneEntry {
  readonly words: readonly [ZoneWord, ...ZoneWord[]]
  /** The entry starts with white space: it has the owner of the one before. */
  readonly isIndented: boolean
}

/** One word of an entry. */
export interface ZoneWord {
  /** Escapes as they stand (`\.`, `\032`): what they mean depends on the field. */
  readonly text: string
  readonly isQuoted: boolean
  readonly line: number
  readonly column: number
}

/** A zone file that cannot be read, with the place. */
export class ZoneTextError extends Error {
  readonly code = 'PORTOLAN_ZONE_TEXT'
  readonly line: number
  readonly column: number

  constructor(line: number, column: number, message: string) {
    super(`${line}:${column}: ${message}`)
    this.name = 'ZoneTextError'
    this.line = line
    this.column = column
  }
}

/** Refuses a zone file because of this word. */
export function refuseWord(word: ZoneWord, message: string): never {
  throw new ZoneTextError(word.line, word.column, message)
}

/** Splits a zone file (RFC 1035 section 5.1) into entries: `;` starts a comment, parentheses join lines,
 *  quotes hold white space. Throws a ZoneTextError. */
export function readZoneText(text: string): ZoneEntry[] {
  const entries: ZoneEntry[] = []
  let words: ZoneWord[] = []
  let isIndented = false
  let depth = 0
  const finish = (): void => {
    const [first, ...rest] = words
    if (first !== undefined) entries.push({ words: [first, ...rest], isIndented })
    words = []
  }
  for (const [index, line] of text.split('\n').entries()) {
    if (depth === 0) {
      finish()
      isIndented = /^[ \t]/.test(line)
    }
    for (const match of line.matchAll(wordPattern)) {
      const [whole] = match
      const place = { line: index + 1, column: match.index + 1 }
      if (whole.startsWith(';')) break
      if (whole === '(') depth++
      else if (whole === ')') {
        if (--depth < 0) throw new ZoneTextError(place.line, place.column, 'unexpected ")"')
      } else if (whole === '"') {
        throw new ZoneTextError(place.line, place.column, 'this quote is never closed')
      } else {
        const isQuoted = whole.startsWith('"')
        words.push({ ...place, isQuoted, text: isQuoted ? whole.slice(1, -1) : whole })
      }
    }
  }
  if (depth > 0) throw new ZoneTextError(text.split('\n').length, 1, 'a ")" is missing')
  finish()
  return entries
}

/** A comment, a parenthesis, a quoted word, a lone quote, or a word. */
const wordPattern = /;.*|[()]|"(?:[^"\\]|\\.)*"|"|(?:[^\s();"\\]|\\.)+/g
