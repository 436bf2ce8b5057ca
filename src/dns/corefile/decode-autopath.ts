import type { DnsName } from '../wire/name.ts'
import { type BlockContext, filePath } from './block-context.ts'
import { argumentsOf, refuseBody } from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import { zonesOrDefault } from './server-key.ts'
import type { Token } from './token.ts'

/** The `autopath` directive. */
export interface AutopathSettings {
  readonly zones: readonly DnsName[]
  /** A plugin that knows the client's search path, or a file like resolv.conf. */
  readonly source:
    | { readonly kind: 'plugin'; readonly name: string }
    | { readonly kind: 'file'; readonly path: string; readonly token: Token }
}

/** Decodes `autopath [ZONES...] @PLUGIN|FILE`. */
export function decodeAutopath(entry: Entry, context: BlockContext): AutopathSettings {
  refuseBody(entry)
  const words = argumentsOf(entry, { min: 1 })
  const token = words.at(-1) ?? entry.words[0]
  const zones = zonesOrDefault(words.slice(0, -1), context.zones)
  if (token.text.startsWith('@')) {
    return { zones, source: { kind: 'plugin', name: token.text.slice(1) } }
  }
  return { zones, source: { kind: 'file', path: filePath(token.text, context), token } }
}
