/** One word of a Corefile, and where it stands. */
export interface Token {
  /** Without its quotes; environment variables are filled in by the parser. */
  readonly text: string
  /** It stood in quotes: a brace in it is text. */
  readonly isQuoted: boolean
  /** It is the first word on its line. */
  readonly isLineStart: boolean
  readonly place: Place
}

/** Where something stands in a file. */
export interface Place {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** The whole line, for messages. */
  readonly lineText: string
}

/** A quote that never ends. */
export interface OpenQuote {
  readonly place: Place
}

const space = /\s/

/** Splits a Corefile into words as Caddy does: words are separated by white space, a quoted word may hold
 *  white space and `\"`, and `#` outside of quotes comments out the rest of the line, even within a word. */
export function readTokens(file: string, text: string): readonly Token[] | OpenQuote {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text
  const lines = source.split('\n')
  const tokens: Token[] = []
  let line = 1
  let lineStart = 0
  let lastLine = 0
  for (let index = 0; index < source.length; ) {
    const character = source.charAt(index)
    if (character === '\n') {
      line++
      lineStart = ++index
    } else if (space.test(character)) index++
    else if (character === '#') index = endOfLine(source, index)
    else {
      const lineText = (lines[line - 1] ?? '').trimEnd()
      const place = { file, line, column: index - lineStart + 1, lineText }
      const isQuoted = character === '"'
      const end = isQuoted ? endOfQuote(source, index) : endOfWord(source, index)
      if (end < 0) return { place }
      const raw = source.slice(index, end)
      const word = isQuoted ? raw.slice(1, -1).replaceAll('\\"', '"') : raw.replaceAll('\r', '')
      tokens.push({ text: word, isQuoted, isLineStart: line > lastLine, place })
      const breaks = isQuoted ? raw.split('\n').length - 1 : 0
      if (breaks > 0) lineStart = index + raw.lastIndexOf('\n') + 1
      line += breaks
      lastLine = line
      index = end
    }
  }
  return tokens
}

function endOfLine(source: string, start: number): number {
  const end = source.indexOf('\n', start)
  return end < 0 ? source.length : end
}

function endOfWord(source: string, start: number): number {
  let end = start
  while (end < source.length && source[end] !== '#' && !isBreak(source.charAt(end))) end++
  return end
}

/** A carriage return inside a word is dropped, not a separator. */
function isBreak(character: string): boolean {
  return character !== '\r' && space.test(character)
}

/** The index behind the closing quote, or -1. */
function endOfQuote(source: string, start: number): number {
  for (let index = start + 1; index < source.length; index++) {
    const character = source[index]
    if (character === '\\') index++
    else if (character === '"') return index + 1
  }
  return -1
}
