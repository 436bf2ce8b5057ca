import { commentTypes, commentValue, encodeUserData, type UserDatum } from './user-data.ts'

/** An expression by which nft can name a field of a key or value (`typeof`). */
export type TypeofField = keyof typeof fields

/** The user data that nft writes for a set that was declared with `typeof`, so that it lists keys by these
 *  names. `data`: fields of a map's value, `verdict`, or undefined for a set. Learned from the dumps of sets
 *  that nft 1.0.6 made: pieces of type, length, value; numbers are 32 bits in host order. */
export function typeofUserData(
  key: readonly TypeofField[],
  data?: readonly TypeofField[] | 'verdict',
  comment?: string,
): Uint8Array {
  const pieces: UserDatum[] = [number(setPieces.keyByteOrder, byteOrderOf(key))]
  if (data !== undefined) {
    pieces.push(number(setPieces.dataByteOrder, data === 'verdict' ? 0 : byteOrderOf(data)))
  }
  pieces.push({ type: setPieces.keyTypeof, value: describe(key) })
  if (data !== undefined) {
    pieces.push({
      type: setPieces.dataTypeof,
      value: data === 'verdict' ? expression(expressionTypes.verdict, []) : describe(data),
    })
    pieces.push(number(setPieces.dataIsInterval, 0))
  }
  if (comment !== undefined) pieces.push({ type: commentTypes.set, value: commentValue(comment) })
  return encodeUserData(pieces)
}

/** enum nftnl_udata_set_types; libnftnl/udata.h */
const setPieces = {
  keyByteOrder: 0,
  dataByteOrder: 1,
  keyTypeof: 3,
  dataTypeof: 4,
  dataIsInterval: 6,
} as const

/** Numbers that nft gives its expressions (enum expr_types of libnftables). */
const expressionTypes = { verdict: 1, payload: 7, meta: 9, concatenation: 13, numgen: 23 } as const

/** nft's byte orders; a concatenation has none (0). */
const hostOrder = 1
const networkOrder = 2

/** Number of the expression, byte order of its value, and the numbers that tell it from others of its kind:
 *  payload: protocol (ip 12, ip6 13, transport header 11) and header field; meta: key; numgen: type, modulus,
 *  offset. */
const fields = {
  'ip saddr': [expressionTypes.payload, networkOrder, 12, 11],
  'ip daddr': [expressionTypes.payload, networkOrder, 12, 12],
  'ip6 saddr': [expressionTypes.payload, networkOrder, 13, 8],
  'ip6 daddr': [expressionTypes.payload, networkOrder, 13, 9],
  'th sport': [expressionTypes.payload, networkOrder, 11, 1],
  'th dport': [expressionTypes.payload, networkOrder, 11, 2],
  'meta l4proto': [expressionTypes.meta, hostOrder, 16],
  'meta mark': [expressionTypes.meta, hostOrder, 3],
  iifname: [expressionTypes.meta, hostOrder, 6],
  oifname: [expressionTypes.meta, hostOrder, 7],
  'numgen random mod 2': [expressionTypes.numgen, hostOrder, 1, 2, 0],
} as const satisfies Readonly<Record<string, readonly [number, number, ...number[]]>>

function byteOrderOf(names: readonly TypeofField[]): number {
  const [first] = names
  return first === undefined || names.length > 1 ? 0 : fields[first][1]
}

function describe(names: readonly TypeofField[]): Uint8Array {
  const [first] = names
  if (first !== undefined && names.length === 1) return describeField(first)
  const members = names.map((name, index) => ({ type: index, value: describeField(name) }))
  return expression(expressionTypes.concatenation, members)
}

function describeField(name: TypeofField): Uint8Array {
  const [type, , ...numbers] = fields[name]
  return expression(
    type,
    numbers.map((value, index) => number(index, value)),
  )
}

/** Piece 0 is the expression's number, piece 1 what belongs to it. */
function expression(type: number, members: readonly UserDatum[]): Uint8Array {
  return encodeUserData([number(0, type), { type: 1, value: encodeUserData(members) }])
}

function number(type: number, value: number): UserDatum {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return { type, value: bytes }
}
