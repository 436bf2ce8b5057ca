import { parseAddress } from '../../net/address.ts'
import { hostPrefix, type Prefix, parsePrefix } from '../../net/prefix.ts'
import type { DnsName } from '../wire/name.ts'
import { recordTypes } from '../wire/numbers.ts'
import type { BlockContext } from './block-context.ts'
import { refuse, refuseUnknown } from './corefile-error.ts'
import { argumentsOf, decodeChoice } from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import { zonesOrDefault } from './server-key.ts'
import type { Token } from './token.ts'

/** One `acl` directive: policies for zones, the first that matches decides. */
export interface AclSettings {
  readonly zones: readonly DnsName[]
  readonly policies: readonly AclPolicy[]
}

/** What happens to queries of some types from some sources. */
export interface AclPolicy {
  readonly action: AclAction
  /** Undefined: all types. */
  readonly types: ReadonlySet<number> | undefined
  /** Undefined: all sources. */
  readonly sources: readonly Prefix[] | undefined
}

/** `allow` ends the search; `block` refuses; `filter` answers with nothing; `drop` does not answer. */
export type AclAction = (typeof actions)[number]

const actions = ['allow', 'block', 'filter', 'drop'] as const

/** Decodes `acl [ZONES...] { ACTION [type TYPES...] [net SOURCES...] }`. */
export function decodeAcl(entry: Entry, context: BlockContext): AclSettings {
  const zones = zonesOrDefault(argumentsOf(entry, { min: 0 }), context.zones)
  return { zones, policies: (entry.body ?? []).map(decodePolicy) }
}

function decodePolicy(line: Entry): AclPolicy {
  const [head, ...words] = line.words
  const action = decodeChoice({ ...head, text: head.text.toLowerCase() }, actions)
  let policy: AclPolicy = { action, types: undefined, sources: undefined }
  for (let index = 0; index < words.length; ) {
    const section = words[index]
    if (section === undefined) break
    const kind = section.text.toLowerCase()
    if (kind !== 'type' && kind !== 'net') refuseUnknown(section, 'section', ['type', 'net'])
    const next = words.findIndex((word, at) => at > index && isSection(word))
    const values = words.slice(index + 1, next < 0 ? undefined : next)
    if (values.length === 0) refuse(section, `${JSON.stringify(kind)} needs values`)
    policy =
      kind === 'type'
        ? { ...policy, types: decodeTypes(values) }
        : { ...policy, sources: decodeSources(values) }
    index = next < 0 ? words.length : next
  }
  return policy
}

function isSection(word: Token): boolean {
  return /^(?:type|net)$/i.test(word.text)
}

function decodeTypes(words: readonly Token[]): ReadonlySet<number> | undefined {
  if (words.some((word) => word.text === '*')) return undefined
  return new Set(words.map(decodeRecordType))
}

/** A record type by its mnemonic, in capitals as CoreDNS wants it, or as `TYPE65`. */
export function decodeRecordType(word: Token): number {
  const number = (recordTypes as Readonly<Record<string, number>>)[word.text]
  const generic = /^TYPE([0-9]{1,5})$/.exec(word.text)
  if (number !== undefined) return number
  if (generic === null || Number(generic[1]) > 0xffff) {
    refuseUnknown(word, 'record type', Object.keys(recordTypes))
  }
  return Number(generic[1])
}

function decodeSources(words: readonly Token[]): readonly Prefix[] | undefined {
  if (words.some((word) => word.text === '*')) return undefined
  return words.map(decodeSource)
}

function decodeSource(word: Token): Prefix {
  const address = parseAddress(word.text)
  const prefix = address === undefined ? parsePrefix(word.text) : hostPrefix(address.text)
  if (prefix !== undefined) return prefix
  refuse(word, `got ${JSON.stringify(word.text)}, expected an address or a network like 10.0.0.0/8`)
}
