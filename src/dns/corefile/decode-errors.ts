import { refuseUnknown } from './corefile-error.ts'
import {
  argumentsOf,
  decodeChoice,
  decodeDuration,
  decodeOptions,
  decodeRegExp,
  isBare,
} from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'

/** The `errors` directive. */
export interface ErrorsSettings {
  /** In order; the first whose pattern matches takes the error. */
  readonly consolidate: readonly Consolidation[]
  readonly hasStackTrace: boolean
}

/** Errors that are counted and logged together. */
export interface Consolidation {
  readonly periodMs: number
  readonly pattern: RegExp
  /** The pattern as the operator wrote it. */
  readonly text: string
  readonly level: (typeof levels)[number]
}

const levels = ['warning', 'error', 'info', 'debug'] as const

/** Decodes `errors [stdout] { ... }`. */
export function decodeErrors(entry: Entry): ErrorsSettings {
  const [target] = argumentsOf(entry, { min: 0, max: 1 })
  if (target !== undefined && target.text !== 'stdout') {
    refuseUnknown(target, 'target', ['stdout'])
  }
  const consolidate: Consolidation[] = []
  let hasStackTrace = false
  decodeOptions(entry, {
    stacktrace: (option) => {
      hasStackTrace = isBare(option)
    },
    consolidate: (option) => consolidate.push(decodeConsolidation(option)),
  })
  return { consolidate, hasStackTrace }
}

function decodeConsolidation(option: Entry): Consolidation {
  const [period, pattern, level] = argumentsOf(option, { min: 2, max: 3 })
  const [head] = option.words
  return {
    periodMs: decodeDuration(period ?? head),
    pattern: decodeRegExp(pattern ?? head),
    text: pattern?.text ?? '',
    level: level === undefined ? 'error' : decodeChoice(level, levels),
  }
}
