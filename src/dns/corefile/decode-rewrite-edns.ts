import { refuse, refuseUnknown } from './corefile-error.ts'
import { decodeChoice, decodeInteger } from './decode-words.ts'
import type { Token } from './token.ts'

/** A rule that changes an EDNS option of the query. */
export interface EdnsRule {
  readonly kind: 'edns0'
  readonly action: (typeof actions)[number]
  readonly option: EdnsRuleOption
  /** The option is put back, or taken out, in the answer. */
  readonly isReverted: boolean
}

/** Which option, and what it gets. */
export type EdnsRuleOption =
  | { readonly kind: 'nsid' }
  | { readonly kind: 'local'; readonly code: number; readonly value: Uint8Array }
  | { readonly kind: 'variable'; readonly code: number; readonly variable: EdnsVariable }
  | { readonly kind: 'subnet'; readonly bits4: number; readonly bits6: number }

/** What a local option can be filled with. */
export type EdnsVariable = (typeof variables)[number]

const actions = ['append', 'replace', 'set', 'unset'] as const
const kinds = ['local', 'nsid', 'subnet'] as const
const variables = [
  'qname',
  'qtype',
  'client_ip',
  'client_port',
  'protocol',
  'server_ip',
  'server_port',
] as const

/** Decodes what follows `rewrite edns0`. */
export function decodeRewriteEdns(rule: Token, words: readonly Token[]): EdnsRule {
  const [kindWord, actionWord, ...all] = words
  if (kindWord === undefined || actionWord === undefined) {
    refuse(rule, 'edns0 needs an option (local, nsid, subnet) and an action (set, append, ...)')
  }
  const kind = decodeChoice({ ...kindWord, text: kindWord.text.toLowerCase() }, kinds)
  const action = decodeChoice({ ...actionWord, text: actionWord.text.toLowerCase() }, actions)
  const isReverted = action !== 'unset' && all.at(-1)?.text === 'revert'
  const values = isReverted ? all.slice(0, -1) : all
  const option = decodeOption(kind, actionWord, action === 'unset', values)
  return { kind: 'edns0', action, option, isReverted }
}

function decodeOption(
  kind: (typeof kinds)[number],
  at: Token,
  isUnset: boolean,
  values: readonly Token[],
): EdnsRuleOption {
  const count = kind === 'nsid' || (kind === 'subnet' && isUnset) ? 0 : isUnset ? 1 : 2
  if (values.length !== count) refuse(at, `expected ${count} values behind ${kind} ${at.text}`)
  const [first, second] = values
  if (kind === 'nsid') return { kind }
  if (kind === 'subnet') {
    const bits4 = first === undefined ? 0 : decodeInteger(first, 0, 32)
    return { kind, bits4, bits6: second === undefined ? 0 : decodeInteger(second, 0, 128) }
  }
  const code = decodeCode(first ?? at)
  if (second === undefined) return { kind, code, value: new Uint8Array(0) }
  const name = /^\{(.*)\}$/.exec(second.text)?.[1]
  if (name === undefined) return { kind, code, value: decodeBytes(second) }
  const variable = variables.find((known) => known === name)
  if (variable === undefined) refuseUnknown({ ...second, text: name }, 'variable', variables)
  return { kind: 'variable', code, variable }
}

/** Decimal, or hexadecimal with 0x. */
function decodeCode(token: Token): number {
  const value = /^(?:0[xX][0-9a-fA-F]+|[0-9]+)$/.test(token.text) ? Number(token.text) : Number.NaN
  if (value <= 0xffff) return value
  refuse(token, `got ${JSON.stringify(token.text)}, expected the code of an option 0..65535`)
}

/** Text, or bytes in hexadecimal behind 0x. */
function decodeBytes(token: Token): Uint8Array {
  if (!token.text.startsWith('0x')) return Buffer.from(token.text)
  const digits = token.text.slice(2)
  if (digits.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(digits)) return Buffer.from(digits, 'hex')
  refuse(token, `got ${JSON.stringify(token.text)}, expected an even number of hexadecimal digits`)
}
