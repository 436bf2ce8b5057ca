import type { Attributes } from '../attribute-kinds.ts'
import { type Expression, expressions } from './expressions.ts'

/** The form in which the kernel dumps an expression, so that what was written and what was read back are
 *  equal member for member: registers by their 32-bit numbers, defaults spelled out, counters without their
 *  values, members in the order of the table. */
export function normalizeExpression(expression: Expression): Expression {
  const given = expression.data as Members
  const completed = { ...defaults[expression.name], ...given, ...derived(expression.name, given) }
  const table: Attributes = expressions[expression.name]
  const data: Record<string, unknown> = {}
  for (const name in table) {
    const value = completed[name]
    if (value !== undefined && !isVolatile(expression, name)) data[name] = normalValue(name, value)
  }
  // Members keep the types of the table: only numbers become other numbers.
  return { name: expression.name, data } as Expression
}

type Members = Readonly<Record<string, unknown>>

/** What the kernel adds when it was not given. */
const defaults: Readonly<Partial<Record<Expression['name'], Members>>> = {
  bitwise: { op: 0 },
  lookup: { flags: 0 },
  dynset: { flags: 0, timeout: 0n },
  numgen: { type: 0, offset: 0 },
  hash: { type: 0 },
}

/** NF_NAT_RANGE_MAP_IPS, NF_NAT_RANGE_PROTO_SPECIFIED; linux/netfilter/nf_nat.h */
const mapAddresses = 1
const mapPorts = 2

/** What the kernel derives from other members: a range of one, and the flags for what is mapped. */
function derived(name: Expression['name'], given: Members): Members {
  if (name === 'payload' && given.sreg !== undefined) {
    return { csumType: 0, csumOffset: 0, csumFlags: 0, ...given }
  }
  if (name !== 'nat' && name !== 'masq' && name !== 'redir') return {}
  const { regAddrMin, regProtoMin } = given
  const flags =
    (typeof given.flags === 'number' ? given.flags : 0) |
    (regAddrMin === undefined ? 0 : mapAddresses) |
    (regProtoMin === undefined ? 0 : mapPorts)
  return {
    regAddrMax: given.regAddrMax ?? regAddrMin,
    regProtoMax: given.regProtoMax ?? regProtoMin,
    flags: flags === 0 ? undefined : flags,
  }
}

/** Members that the kernel counts or does not keep: set ids name sets of the same batch only. */
function isVolatile(expression: Expression, member: string): boolean {
  if (expression.name === 'counter') return true
  if (expression.name === 'reject') return expression.data.type === 1 && member === 'icmpCode'
  if (expression.name === 'hash') return member === 'offset' && expression.data.offset === 0
  return member === 'setId'
}

const registers: ReadonlySet<string> = new Set([
  'dreg',
  'sreg',
  'sregKey',
  'sregData',
  'regAddrMin',
  'regAddrMax',
  'regProtoMin',
  'regProtoMax',
])

/** NFT_REG_1..4 (1 to 4) are the 32-bit registers 8, 12, 16, 20; the kernel shows those by the short number
 *  (nft_dump_register). 0 is the verdict. */
function normalValue(name: string, value: unknown): unknown {
  if (!registers.has(name) || typeof value !== 'number') return value
  return value >= 1 && value <= 4 ? 4 + 4 * value : value
}
