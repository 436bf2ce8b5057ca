import type { DnsName } from '../wire/name.ts'
import { rcodes, recordClasses } from '../wire/numbers.ts'
import type { BlockContext } from './block-context.ts'
import { refuse, refuseUnknown } from './corefile-error.ts'
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
import { compileTemplate, type Template } from './go-template.ts'
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
  readonly answer: readonly Template[]
  readonly authority: readonly Template[]
  readonly additional: readonly Template[]
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
  const sections: Record<'answer' | 'authority' | 'additional', Template[]> = {
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
    answer: (option) => sections.answer.push(...decodeTemplates(option)),
    authority: (option) => sections.authority.push(...decodeTemplates(option)),
    additional: (option) => sections.additional.push(...decodeTemplates(option)),
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

function decodeTemplates(option: Entry): readonly Template[] {
  return argumentsOf(option, { min: 1 }).map((token) => {
    const template = compileTemplate(token.text)
    return typeof template === 'string' ? refuse(token, `template: ${template}`) : template
  })
}

/** A class by its mnemonic. */
export function decodeRecordClass(word: Token): number {
  const number = (recordClasses as Readonly<Record<string, number>>)[word.text]
  if (number === undefined) refuseUnknown(word, 'class', Object.keys(recordClasses))
  return number
}
