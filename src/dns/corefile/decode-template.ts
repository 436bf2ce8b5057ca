import type { DnsName } from '../wire/name.ts'
import { rcodes, recordClasses } from '../wire/numbers.ts'
import type { BlockContext } from './block-context.ts'
import { refuseUnknown } from './corefile-error.ts'
import { decodeRecordType } from './decode-acl.ts'
import { decodeRcode } from './decode-forward.ts'
import {
  argumentOf,
  argumentsOf,
  decodeFallthrough,
  decodeInteger,
  decodeOptions,
  decodeRegExp,
} from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import { zonesOrDefault } from './server-key.ts'
import type { Token } from './token.ts'

/** One `template` directive. */
export interface TemplateSettings {
  /** 255 is any. */
  readonly class: number
  /** 255 is any. */
  readonly type: number
  readonly zones: readonly DnsName[]
  /** The first that matches the name counts. */
  readonly match: readonly { readonly pattern: RegExp; readonly text: string }[]
  /** Records in zone-file notation with Go's template variables. */
  readonly answer: readonly Token[]
  readonly authority: readonly Token[]
  readonly additional: readonly Token[]
  readonly rcode: number
  /** Extended error (RFC 8914). */
  readonly extendedError: { readonly code: number; readonly reason: string } | undefined
  readonly fallthrough: readonly DnsName[]
}

/** Decodes `template CLASS TYPE [ZONES...] { ... }`. */
export function decodeTemplate(entry: Entry, context: BlockContext): TemplateSettings {
  const [classWord, typeWord, ...zones] = argumentsOf(entry, { min: 2 })
  const [head] = entry.words
  const match: { pattern: RegExp; text: string }[] = []
  const sections: Record<'answer' | 'authority' | 'additional', Token[]> = {
    answer: [],
    authority: [],
    additional: [],
  }
  let rcode: number = rcodes.NOERROR
  let extendedError: TemplateSettings['extendedError']
  let fallthrough: readonly DnsName[] = []
  decodeOptions(entry, {
    match: (option) => {
      for (const token of argumentsOf(option, { min: 1 })) {
        match.push({ pattern: decodeRegExp(token), text: token.text })
      }
    },
    answer: (option) => sections.answer.push(...argumentsOf(option, { min: 1 })),
    authority: (option) => sections.authority.push(...argumentsOf(option, { min: 1 })),
    additional: (option) => sections.additional.push(...argumentsOf(option, { min: 1 })),
    rcode: (option) => {
      rcode = decodeRcode(argumentOf(option))
    },
    ederror: (option) => {
      const [code, reason] = argumentsOf(option, { min: 1, max: 2 })
      const number = decodeInteger(code ?? head, 0, 0xffff)
      extendedError = { code: number, reason: reason?.text ?? '' }
    },
    fallthrough: (option) => {
      fallthrough = decodeFallthrough(option)
    },
    upstream: () => undefined,
  })
  return {
    class: decodeRecordClass(classWord ?? head),
    type: decodeRecordType(typeWord ?? head),
    zones: zonesOrDefault(zones, context.zones),
    match: match.length === 0 ? [{ pattern: /.*/, text: '.*' }] : match,
    ...sections,
    rcode,
    extendedError,
    fallthrough,
  }
}

/** A class by its mnemonic. */
export function decodeRecordClass(word: Token): number {
  const number = (recordClasses as Readonly<Record<string, number>>)[word.text]
  if (number === undefined) refuseUnknown(word, 'class', Object.keys(recordClasses))
  return number
}
