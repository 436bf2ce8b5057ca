import { refuse } from './corefile-error.ts'
import type { Token } from './token.ts'

/** Finds the words that an `import` stands for. */
export type ResolveImport = (
  target: Token,
  snippets: ReadonlyMap<string, readonly Token[]>,
) => readonly Token[]

/** As many imports may happen in one Corefile; more is a circle. */
const maxImports = 10_000

/** More words than any configuration has: files that import each other grow without end. */
const maxTokens = 1_000_000

/** The words of a Corefile in order, with every `import` line replaced by what it imports. */
export class TokenStream {
  /** What is still to be read, the next word last. */
  readonly #rest: Token[]
  readonly #resolve: ResolveImport
  readonly #snippets = new Map<string, readonly Token[]>()
  #importCount = 0

  constructor(tokens: readonly Token[], resolve: ResolveImport) {
    this.#rest = tokens.toReversed()
    this.#resolve = resolve
  }

  /** The next word, imports done; undefined at the end. */
  peek(): Token | undefined {
    for (;;) {
      const token = this.#rest.at(-1)
      if (token?.text !== 'import' || token.isQuoted || !token.isLineStart) return token
      this.#import(token)
    }
  }

  /** Takes the word that `peek` showed. */
  next(): Token {
    const token = this.peek()
    if (token === undefined) throw new Error('the words of the Corefile are used up')
    this.#rest.pop()
    return token
  }

  /** The next word as it stands, `import` included. */
  peekRaw(): Token | undefined {
    return this.#rest.at(-1)
  }

  /** Takes the word that `peekRaw` showed. */
  skipRaw(): void {
    this.#rest.pop()
  }

  /** Remembers a snippet for later imports. */
  define(at: Token, name: string, body: readonly Token[]): void {
    if (this.#snippets.has(name)) refuse(at, `snippet ${JSON.stringify(name)} exists already`)
    this.#snippets.set(name, body)
  }

  #import(statement: Token): void {
    this.#rest.pop()
    const target = this.#rest.pop()
    if (target === undefined || target.isLineStart || target.text === '') {
      refuse(statement, 'import needs the name of a snippet, a file or a pattern')
    }
    const extra = this.#rest.at(-1)
    if (extra !== undefined && !extra.isLineStart) {
      refuse(extra, 'import takes one snippet, file or pattern')
    }
    if (++this.#importCount > maxImports || this.#rest.length > maxTokens) {
      refuse(statement, 'too many imports: files or snippets import each other in a circle')
    }
    const tokens = this.#resolve(target, this.#snippets)
    for (let index = tokens.length - 1; index >= 0; index--) {
      const token = tokens[index]
      if (token !== undefined) this.#rest.push(token)
    }
  }
}
