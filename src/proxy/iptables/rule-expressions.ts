import { type Family, writeAddress } from '../../net/address.ts'
import { never } from '../../net/never.ts'
import { type Prefix, prefixRange } from '../../net/prefix.ts'
import { type Protocol, protocolNumber } from '../../net/protocol.ts'
import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { Rule as KernelRule } from '../../netlink/nftables/objects.ts'
import type { Negatable, PortRange, Rule, Target } from './rule.ts'
import {
  changeMark,
  destinationNat,
  masquerade,
  matchExpression,
  putHostNumber,
  reject,
  sctpPorts,
} from './xtables-info.ts'

/** A rule as the nf_tables variant of iptables writes it into the kernel, so that its programs list and edit
 *  it as their own; the comment stands in the rule's user data, where it costs packets nothing. */
export function kernelRule(chain: string, rule: Rule, family: Family): KernelRule {
  const { protocol, port, matches = [] } = rule
  const target = targetExpression(rule.target, family)
  const expressions: Expression[] = []
  if (rule.input !== undefined) addInterface(expressions, rule.input)
  if (protocol !== undefined) addProtocol(expressions, protocol)
  if (rule.source !== undefined) addPrefix(expressions, rule.source, sourceOffset[family])
  if (rule.destination !== undefined) {
    addPrefix(expressions, rule.destination, destinationOffset[family])
  }
  if (protocol !== undefined && port !== undefined) addPort(expressions, protocol, port)
  for (const match of matches) {
    if (match.kind === 'mark') addMark(expressions, match.mask, match.isNegated)
    else expressions.push(matchExpression(match, family))
  }
  expressions.push(counter, target)
  const isOfXtables = expressions.some(({ name }) => name === 'match' || name === 'target')
  return {
    chain,
    expressions,
    ...(rule.comment === undefined ? {} : { comment: rule.comment }),
    ...(isOfXtables
      ? { compatProtocol: protocol === undefined ? 0 : protocolNumber(protocol) }
      : {}),
  }
}

/** NFT_REG_1, the register that iptables uses. */
const register = 1

const counter: Expression = { name: 'counter', data: { bytes: 0n, packets: 0n } }

/** Offsets of addresses in the network header: RFC 791, RFC 8200 section 3. */
const sourceOffset: Readonly<Record<Family, number>> = { 4: 12, 6: 8 }
const destinationOffset: Readonly<Record<Family, number>> = { 4: 16, 6: 24 }

/** NF_DROP, NF_ACCEPT, NFT_RETURN, NFT_JUMP */
const verdicts = { drop: 0, accept: 1, return: -5, jump: -3 } as const

function targetExpression(target: Target, family: Family): Expression {
  switch (target.kind) {
    case 'jump':
      return verdict({ code: verdicts.jump, chain: target.chain })
    case 'accept':
    case 'drop':
    case 'return':
      return verdict({ code: verdicts[target.kind] })
    case 'dnat':
      return destinationNat(target.address, target.port)
    case 'reject':
      return reject(target.answer, family)
    case 'mark':
      return changeMark(target.flip, target.clear)
    case 'masquerade':
      return masquerade(family)
    default:
      return never(target)
  }
}

function verdict(value: { readonly code: number; readonly chain?: string }): Expression {
  return { name: 'immediate', data: { dreg: 0, data: { verdict: value } } }
}

/** NFT_META_IIFNAME 6. A whole name is compared with its final zero, a beginning without. */
function addInterface(expressions: Expression[], { value, isNegated }: Negatable<string>): void {
  const text = value.endsWith('+') ? value.slice(0, -1) : `${value}\0`
  expressions.push({ name: 'meta', data: { key: 6, dreg: register } })
  expressions.push(compare(isNegated, new Uint8Array(Buffer.from(text, 'latin1'))))
}

/** NFT_META_L4PROTO 16. */
function addProtocol(expressions: Expression[], protocol: Protocol): void {
  expressions.push({ name: 'meta', data: { key: 16, dreg: register } })
  expressions.push(compare(undefined, Uint8Array.of(protocolNumber(protocol))))
}

/** NFT_META_MARK 3; the kernel's own number, so in host order. */
function addMark(expressions: Expression[], mask: number, isNegated: true | undefined): void {
  const value = new Uint8Array(4)
  putHostNumber(value, 0, 4, mask)
  expressions.push({ name: 'meta', data: { key: 3, dreg: register } })
  expressions.push(bitwiseAnd(value), compare(isNegated, value))
}

/** A prefix that ends with a byte is compared byte by byte, another one behind a mask. */
function addPrefix(
  expressions: Expression[],
  { value, isNegated }: Negatable<Prefix>,
  offset: number,
): void {
  const address = addressOf(value)
  const length = value.length % 8 === 0 ? value.length / 8 : address.length
  if (length === 0) return
  expressions.push({ name: 'payload', data: { dreg: register, base: 1, offset, len: length } })
  if (value.length % 8 !== 0) expressions.push(maskOf(value))
  expressions.push(compare(isNegated, address.subarray(0, length)))
}

function addressOf({ address, family }: Prefix): Uint8Array {
  const bytes = new Uint8Array(family === 4 ? 4 : 16)
  writeAddress(bytes, 0, address)
  return bytes
}

function maskOf(prefix: Prefix): Expression {
  const { first, last } = prefixRange(prefix)
  return bitwiseAnd(first.map((byte, index) => 0xff ^ byte ^ (last[index] ?? 0)))
}

function bitwiseAnd(mask: Uint8Array): Expression {
  const xor = { value: new Uint8Array(mask.length) }
  const len = mask.length
  return {
    name: 'bitwise',
    data: { sreg: register, dreg: register, len, op: 0, mask: { value: mask }, xor },
  }
}

/** The destination port stands at 2 in the headers of TCP and UDP. */
function addPort(expressions: Expression[], protocol: Protocol, port: number | PortRange): void {
  const { first, last } = typeof port === 'number' ? { first: port, last: port } : port
  if (protocol === 'SCTP') {
    expressions.push(sctpPorts(first, last))
    return
  }
  expressions.push({ name: 'payload', data: { dreg: register, base: 2, offset: 2, len: 2 } })
  if (first === last) expressions.push(compare(undefined, bigEndian(first)))
  else {
    const [from, to] = [{ value: bigEndian(first) }, { value: bigEndian(last) }]
    expressions.push({ name: 'range', data: { sreg: register, op: 0, fromData: from, toData: to } })
  }
}

function bigEndian(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 0xff)
}

/** NFT_CMP_EQ 0, NFT_CMP_NEQ 1. */
function compare(isNegated: true | undefined, value: Uint8Array): Expression {
  const op = isNegated === true ? 1 : 0
  return { name: 'cmp', data: { sreg: register, op, data: { value } } }
}
