import type { DnsName } from '../wire/name.ts'
import { argumentsOf, decodeChoice, decodeOptions } from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import { decodeName } from './server-key.ts'

/** One rule of the query log; the first whose zone holds the name decides. */
export interface LogRule {
  readonly zone: DnsName
  /** With placeholders like `{remote}`. */
  readonly format: string
  readonly classes: ReadonlySet<LogClass>
}

/** Kinds of answers. */
export type LogClass = (typeof logClasses)[number]

const logClasses = ['all', 'success', 'denial', 'error'] as const

/** The format of CoreDNS that its log parsers expect. */
const commonFormat =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}'

/** Decodes `log [NAMES...] [FORMAT] { class CLASSES... }`. */
export function decodeLog(entry: Entry): readonly LogRule[] {
  const words = argumentsOf(entry, { min: 0 })
  const last = words.at(-1)
  const hasFormat = words.length > 1 && last?.text.includes('{') === true
  const format = hasFormat ? expandFormat(last.text) : commonFormat
  const names = hasFormat ? words.slice(0, -1) : words
  const classes = new Set<LogClass>()
  decodeOptions(entry, {
    class: (option) => {
      const values = argumentsOf(option, { min: 1 })
      for (const value of values) classes.add(decodeChoice(value, logClasses))
    },
  })
  if (classes.size === 0) classes.add('all')
  const zones = names.length === 0 ? ['.'] : names.map(decodeName)
  return zones.map((zone) => ({ zone, format, classes }))
}

function expandFormat(text: string): string {
  return text
    .replaceAll('{common}', commonFormat)
    .replaceAll('{combined}', `${commonFormat} "{>opcode}"`)
}
