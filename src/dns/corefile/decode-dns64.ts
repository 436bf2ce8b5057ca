import { type Prefix, parsePrefix } from '../../net/prefix.ts'
import { refuse } from './corefile-error.ts'
import { argumentOf, argumentsOf, decodeOptions, isBare } from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import type { Token } from './token.ts'

/** The `dns64` directive. */
export interface Dns64Settings {
  /** IPv6; 32 to 96 bits in whole bytes. */
  readonly prefix: Prefix
  /** Names that have AAAA records are translated too. */
  readonly translatesAll: boolean
  /** Clients over IPv4 get translations too. */
  readonly servesIpv4: boolean
}

/** RFC 6052 section 2.1: the prefix that everybody may use. */
const wellKnownPrefix: Prefix = { family: 6, address: '64:ff9b::', length: 96 }

/** Decodes `dns64 [PREFIX] { ... }`. */
export function decodeDns64(entry: Entry): Dns64Settings {
  const [prefix] = argumentsOf(entry, { min: 0, max: 1 })
  let settings: Dns64Settings = {
    prefix: prefix === undefined ? wellKnownPrefix : decodePrefix(prefix),
    translatesAll: false,
    servesIpv4: false,
  }
  decodeOptions(entry, {
    prefix: (option) => {
      settings = { ...settings, prefix: decodePrefix(argumentOf(option)) }
    },
    translate_all: (option) => {
      settings = { ...settings, translatesAll: isBare(option) }
    },
    allow_ipv4: (option) => {
      settings = { ...settings, servesIpv4: isBare(option) }
    },
  })
  return settings
}

function decodePrefix(token: Token): Prefix {
  const prefix = parsePrefix(token.text)
  if (prefix?.family === 6 && prefix.length % 8 === 0 && prefix.length >= 32) {
    if (prefix.length <= 96) return prefix
  }
  const expected = 'expected an IPv6 prefix of 32, 40, 48, 56, 64, 72, 80, 88 or 96 bits'
  refuse(token, `got ${JSON.stringify(token.text)}, ${expected}`)
}
