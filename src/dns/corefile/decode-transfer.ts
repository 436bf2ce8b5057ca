import type { DnsName } from '../wire/name.ts'
import type { BlockContext } from './block-context.ts'
import { refuse } from './corefile-error.ts'
import { parseHostPort } from './decode-forward.ts'
import { argumentsOf, decodeOptions } from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import { zonesOrDefault } from './server-key.ts'

/** One `transfer` directive. */
export interface TransferSettings {
  readonly zones: readonly DnsName[]
  /** Addresses that may transfer the zones; `*` is everybody. */
  readonly to: readonly string[]
}

/** Decodes `transfer [ZONES...] { to ADDRESSES... }`. */
export function decodeTransfer(entry: Entry, context: BlockContext): TransferSettings {
  const to: string[] = []
  decodeOptions(entry, {
    to: (option) => {
      for (const token of argumentsOf(option, { min: 1 })) {
        const address = token.text === '*' ? '*' : parseHostPort(token.text)?.address
        if (address === undefined) {
          refuse(token, `got ${JSON.stringify(token.text)}, expected an address or *`)
        }
        to.push(address)
      }
    },
  })
  if (to.length === 0) refuse(entry.words[0], 'transfer needs "to" and addresses or *')
  return { zones: zonesOrDefault(argumentsOf(entry, { min: 0 }), context.zones), to }
}
