import { CorefileError, refuse } from './corefile-error.ts'
import { fillEnvironment } from './environment.ts'
import { readTokens, type Token } from './token.ts'
import { TokenStream } from './token-stream.ts'

/** A line of a Corefile: its words, and the lines in braces behind them. */
export interface Entry {
  readonly words: readonly [Token, ...Token[]]
  /** Undefined: no braces. */
  readonly body: readonly Entry[] | undefined
}

/** A server block as it is written: what it serves, and its directives in the order of the file. */
export interface ServerBlock {
  readonly keys: readonly [Token, ...Token[]]
  readonly directives: readonly Entry[]
}

/** Where a Corefile gets what is not in it. */
export interface CorefileSurroundings {
  /** Values of `{$NAME}`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The files that an `import` means, relative to the file that imports; undefined when a plain name
   *  does not exist. A pattern that matches nothing is an empty list. */
  readonly importFiles: (pattern: string, importer: string) => readonly ImportedFile[] | undefined
}

/** One imported file. */
export interface ImportedFile {
  readonly file: string
  readonly text: string
}

/** Parses the structure of a Corefile: blocks, directives, imports, snippets, environment variables. Knows
 *  no directive. Throws a CorefileError. */
export function parseCorefile(
  file: string,
  text: string,
  surroundings: CorefileSurroundings,
): ServerBlock[] {
  const tokens = tokensOf(file, text)
  const stream = new TokenStream(tokens, (target, snippets) => {
    const name = fillEnvironment(target.text, surroundings.environment)
    const snippet = snippets.get(name)
    if (snippet !== undefined) return snippet
    const files = surroundings.importFiles(name, target.place.file)
    if (files === undefined) {
      refuse(target, `neither a snippet nor a file is named ${JSON.stringify(name)}`)
    }
    return files.flatMap((imported) => tokensOf(imported.file, imported.text))
  })
  const blocks: ServerBlock[] = []
  while (stream.peek() !== undefined) {
    const keys = readKeys(stream, surroundings)
    const [first] = keys
    const snippet = keys.length === 1 ? /^\((.*)\)$/s.exec(first?.text ?? '') : null
    if (first === undefined) continue
    if (snippet !== null) stream.define(first, snippet[1] ?? '', readSnippet(stream, first))
    else {
      const directives = readBlock(stream, first, surroundings)
      blocks.push({ keys: [first, ...keys.slice(1)], directives })
    }
  }
  return blocks
}

function tokensOf(file: string, text: string): readonly Token[] {
  const tokens = readTokens(file, text)
  if ('place' in tokens) {
    throw new CorefileError([{ place: tokens.place, message: 'this quote is never closed' }])
  }
  return tokens
}

/** Keys end at a brace, or at the end of a line that has no comma behind its last key. */
function readKeys(stream: TokenStream, { environment }: CorefileSurroundings): Token[] {
  const keys: Token[] = []
  let isAnotherExpected = false
  for (;;) {
    const token = stream.peek()
    if (token === undefined || isOpen(token)) {
      if (!isAnotherExpected) return keys
      const place = token ?? keys.at(-1)
      if (place !== undefined) refuse(place, 'a comma promises another zone, but none follows')
      return keys
    }
    if (isClose(token)) refuse(token, 'this brace closes nothing')
    if (keys.length > 0 && token.isLineStart && !isAnotherExpected) return keys
    stream.next()
    for (const text of fillEnvironment(token.text, environment).split(/\s+/)) {
      isAnotherExpected = text.endsWith(',')
      const key = isAnotherExpected ? text.slice(0, -1) : text
      if (key !== '') keys.push({ ...token, text: key })
    }
  }
}

/** The directives of a block, in braces or, for the only block of a file, without. */
function readBlock(
  stream: TokenStream,
  key: Token,
  surroundings: CorefileSurroundings,
): readonly Entry[] {
  const open = stream.peek()
  if (open === undefined || !isOpen(open)) {
    const entries: Entry[] = []
    while (stream.peek() !== undefined) entries.push(readEntry(stream, surroundings))
    return entries
  }
  stream.next()
  return readBody(stream, open, key, surroundings)
}

/** Lines up to the closing brace. */
function readBody(
  stream: TokenStream,
  open: Token,
  owner: Token,
  surroundings: CorefileSurroundings,
): Entry[] {
  const entries: Entry[] = []
  for (;;) {
    const token = stream.peek()
    if (token === undefined) {
      refuse(open, `the brace of ${JSON.stringify(owner.text)} is never closed`)
    }
    if (isClose(token)) {
      stream.next()
      return entries
    }
    entries.push(readEntry(stream, surroundings))
  }
}

function readEntry(stream: TokenStream, surroundings: CorefileSurroundings): Entry {
  const head = filled(stream.next(), surroundings)
  if (isClose(head)) refuse(head, 'this brace closes nothing')
  if (isOpen(head)) refuse(head, 'expected a directive before the brace')
  const rest: Token[] = []
  for (;;) {
    const token = stream.peek()
    if (token === undefined || token.isLineStart) return { words: [head, ...rest], body: undefined }
    if (isClose(token)) {
      refuse(token, 'a closing brace stands on a line of its own')
    }
    stream.next()
    if (isOpen(token)) {
      const body = readBody(stream, token, head, surroundings)
      return { words: [head, ...rest], body }
    }
    rest.push(filled(token, surroundings))
  }
}

/** The words between the braces, untouched: they count where they are imported. */
function readSnippet(stream: TokenStream, name: Token): readonly Token[] {
  const open = stream.peek()
  if (open === undefined || !isOpen(open)) {
    refuse(name, `snippet ${JSON.stringify(name.text)} needs braces`)
  }
  stream.next()
  const body: Token[] = []
  for (let depth = 1; ; ) {
    const token = stream.peekRaw()
    if (token === undefined) {
      refuse(open, `the brace of ${JSON.stringify(name.text)} is never closed`)
    }
    stream.skipRaw()
    if (isOpen(token)) depth++
    if (isClose(token) && --depth === 0) return body
    body.push(body.length === 0 ? { ...token, isLineStart: true } : token)
  }
}

function filled(token: Token, { environment }: CorefileSurroundings): Token {
  const text = fillEnvironment(token.text, environment)
  return text === token.text ? token : { ...token, text }
}

function isOpen(token: Token): boolean {
  return token.text === '{' && !token.isQuoted
}

function isClose(token: Token): boolean {
  return token.text === '}' && !token.isQuoted
}
