import type { DnsName } from '../wire/name.ts'
import { type BlockContext, filePath } from './block-context.ts'
import {
  argumentOf,
  argumentsOf,
  decodeDuration,
  decodeFallthrough,
  decodeOptions,
} from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import { zonesOrDefault } from './server-key.ts'
import type { Token } from './token.ts'

/** One `file` directive: a zone file and the zones that are read from it. */
export interface FileSettings {
  readonly path: string
  readonly token: Token
  readonly zones: readonly DnsName[]
  readonly fallthrough: readonly DnsName[]
  /** 0: the file is read once. */
  readonly reloadMs: number
}

/** Decodes `file PATH [ZONES...] { ... }`. */
export function decodeFile(entry: Entry, context: BlockContext): FileSettings {
  const [path, ...zones] = argumentsOf(entry, { min: 1 })
  const token = path ?? entry.words[0]
  let fallthrough: readonly DnsName[] = []
  let reloadMs = 60_000
  decodeOptions(entry, {
    fallthrough: (option) => {
      fallthrough = decodeFallthrough(option)
    },
    reload: (option) => {
      reloadMs = decodeDuration(argumentOf(option))
    },
    upstream: () => undefined,
  })
  return {
    path: filePath(token.text, context),
    token,
    zones: zonesOrDefault(zones, context.zones),
    fallthrough,
    reloadMs,
  }
}
