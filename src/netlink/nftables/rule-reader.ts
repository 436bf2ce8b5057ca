import { DecodeError } from '../../net/decode-error.ts'
import { AttributeReader } from '../attribute-reader.ts'
import { ruleAttributes } from './object-tables.ts'

/** Where the parts of a dumped rule lie; all offsets are of the dump. */
export interface RuleBounds {
  /** The content of NFTA_RULE_EXPRESSIONS. */
  readonly start: number
  readonly end: number
  /** NFTA_RULE_USERDATA; empty when there is none. */
  readonly userDataStart: number
  readonly userDataEnd: number
}

/** Gets each rule with the bytes of the dump, which are valid until it returns. */
export type RuleVisitor = (bytes: Uint8Array, rule: RuleBounds) => void

/** Finds the parts of a rule in the attributes of an NFT_MSG_NEWRULE message without decoding them. Throws a
 *  DecodeError when their lengths do not fit. */
export function readRuleBounds(bytes: Uint8Array, from: number, to: number): RuleBounds {
  const reader = new AttributeReader(bytes, from, to)
  const bounds = { start: 0, end: 0, userDataStart: 0, userDataEnd: 0 }
  while (reader.next()) {
    const { id, start, end } = reader
    if (id === ruleAttributes.expressions.id) {
      bounds.start = start
      bounds.end = end
    } else if (id === ruleAttributes.userData.id) {
      bounds.userDataStart = start
      bounds.userDataEnd = end
    }
  }
  if (reader.fault === undefined) return bounds
  throw new DecodeError('nf_tables rule', [
    { path: ['rule'], value: reader.fault, expected: 'attributes that fit into each other' },
  ])
}
