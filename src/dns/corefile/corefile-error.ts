import { nearestWord } from './nearest-word.ts'
import type { Place, Token } from './token.ts'

/** One fault of a Corefile: where, and what is wrong. */
export interface CorefileFault {
  readonly place: Place
  readonly message: string
}

/** A Corefile that cannot be used, with all faults that could be told apart. */
export class CorefileError extends Error {
  readonly code = 'PORTOLAN_COREFILE'
  readonly faults: readonly CorefileFault[]

  constructor(faults: readonly CorefileFault[]) {
    super(faults.map(formatCorefileFault).join('\n'))
    this.name = 'CorefileError'
    this.faults = faults
  }
}

/** `Corefile:7:5: unknown directive "forwad", did you mean "forward"?` */
export function formatCorefileFault(fault: CorefileFault): string {
  const { file, line, column } = fault.place
  return `${file}:${line}:${column}: ${fault.message}`
}

/** Refuses the Corefile because of this word. */
export function refuse(token: Token, message: string): never {
  throw new CorefileError([{ place: token.place, message }])
}

/** Refuses a word that is not one of the known ones, and names the nearest. */
export function refuseUnknown(token: Token, kind: string, known: readonly string[]): never {
  const near = nearestWord(token.text, known)
  const hint =
    near === undefined ? `expected ${known.join(', ')}` : `did you mean ${JSON.stringify(near)}?`
  refuse(token, `unknown ${kind} ${JSON.stringify(token.text)}, ${hint}`)
}
