import type { Attributes, Decoded } from '../attribute-kinds.ts'

/** enum nft_verdict_attributes. `code`: NF_DROP 0, NF_ACCEPT 1, or enum nft_verdicts: NFT_JUMP -3,
 *  NFT_GOTO -4, NFT_RETURN -5. */
export const verdict = {
  code: { id: 1, kind: 's32be' },
  chain: { id: 2, kind: 'string' },
} as const satisfies Attributes

/** enum nft_data_attributes: bytes as they stand in a register, or a verdict. */
export const data = {
  value: { id: 1, kind: 'bytes' },
  verdict: { id: 2, kind: 'nest', nest: verdict },
} as const satisfies Attributes

/** enum nft_immediate_attributes */
export const immediate = {
  dreg: { id: 1, kind: 'u32be' },
  data: { id: 2, kind: 'nest', nest: data },
} as const satisfies Attributes

/** enum nft_bitwise_attributes: dreg = (sreg & mask) ^ xor. */
export const bitwise = {
  sreg: { id: 1, kind: 'u32be' },
  dreg: { id: 2, kind: 'u32be' },
  len: { id: 3, kind: 'u32be' },
  op: { id: 6, kind: 'u32be' },
  mask: { id: 4, kind: 'nest', nest: data },
  xor: { id: 5, kind: 'nest', nest: data },
  data: { id: 7, kind: 'nest', nest: data },
} as const satisfies Attributes

/** enum nft_cmp_attributes; op: enum nft_cmp_ops (0 eq, 1 neq, 2 lt, 3 lte, 4 gt, 5 gte). */
export const cmp = {
  sreg: { id: 1, kind: 'u32be' },
  op: { id: 2, kind: 'u32be' },
  data: { id: 3, kind: 'nest', nest: data },
} as const satisfies Attributes

/** enum nft_range_attributes; op: enum nft_range_ops (0 inside, 1 outside); both ends belong to it. */
export const range = {
  sreg: { id: 1, kind: 'u32be' },
  op: { id: 2, kind: 'u32be' },
  fromData: { id: 3, kind: 'nest', nest: data },
  toData: { id: 4, kind: 'nest', nest: data },
} as const satisfies Attributes

/** enum nft_lookup_attributes; flags: 1 inverts (NFT_LOOKUP_F_INV). */
export const lookup = {
  set: { id: 1, kind: 'string' },
  sreg: { id: 2, kind: 'u32be' },
  dreg: { id: 3, kind: 'u32be' },
  setId: { id: 4, kind: 'u32be' },
  flags: { id: 5, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_dynset_attributes; op: 0 add, 1 update, 2 delete; timeout in milliseconds. */
export const dynset = {
  setName: { id: 1, kind: 'string' },
  setId: { id: 2, kind: 'u32be' },
  op: { id: 3, kind: 'u32be' },
  sregKey: { id: 4, kind: 'u32be' },
  sregData: { id: 5, kind: 'u32be' },
  timeout: { id: 6, kind: 'u64be' },
  flags: { id: 9, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_payload_attributes; base: 1 network header, 2 transport header; offset and len in bytes. */
export const payload = {
  dreg: { id: 1, kind: 'u32be' },
  base: { id: 2, kind: 'u32be' },
  offset: { id: 3, kind: 'u32be' },
  len: { id: 4, kind: 'u32be' },
  sreg: { id: 5, kind: 'u32be' },
  csumType: { id: 6, kind: 'u32be' },
  csumOffset: { id: 7, kind: 'u32be' },
  csumFlags: { id: 8, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_meta_attributes; key: enum nft_meta_keys (3 mark, 6 iifname, 16 l4proto ...). In the order in which
 *  the kernel dumps them, as `bitwise`: what was written and what is dumped can be compared byte by byte. */
export const meta = {
  key: { id: 2, kind: 'u32be' },
  dreg: { id: 1, kind: 'u32be' },
  sreg: { id: 3, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_ct_attributes; key: enum nft_ct_keys (0 state). */
export const ct = {
  dreg: { id: 1, kind: 'u32be' },
  key: { id: 2, kind: 'u32be' },
  direction: { id: 3, kind: 'u8' },
  sreg: { id: 4, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_ng_attributes; type: 0 incremental, 1 random. */
export const numgen = {
  dreg: { id: 1, kind: 'u32be' },
  modulus: { id: 2, kind: 'u32be' },
  type: { id: 3, kind: 'u32be' },
  offset: { id: 4, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_hash_attributes; type: 0 jenkins, 1 symmetric. */
export const hash = {
  sreg: { id: 1, kind: 'u32be' },
  dreg: { id: 2, kind: 'u32be' },
  len: { id: 3, kind: 'u32be' },
  modulus: { id: 4, kind: 'u32be' },
  seed: { id: 5, kind: 'u32be' },
  offset: { id: 6, kind: 'u32be' },
  type: { id: 7, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_counter_attributes */
export const counter = {
  bytes: { id: 1, kind: 'u64be' },
  packets: { id: 2, kind: 'u64be' },
} as const satisfies Attributes

/** enum nft_reject_attributes; type: enum nft_reject_types (0 icmp unreachable, 1 tcp reset, 2 icmpx). */
export const reject = {
  type: { id: 1, kind: 'u32be' },
  icmpCode: { id: 2, kind: 'u8' },
} as const satisfies Attributes

/** enum nft_nat_attributes; type: 0 snat, 1 dnat; family: NFPROTO_IPV4 2, NFPROTO_IPV6 10. */
export const nat = {
  type: { id: 1, kind: 'u32be' },
  family: { id: 2, kind: 'u32be' },
  regAddrMin: { id: 3, kind: 'u32be' },
  regAddrMax: { id: 4, kind: 'u32be' },
  regProtoMin: { id: 5, kind: 'u32be' },
  regProtoMax: { id: 6, kind: 'u32be' },
  flags: { id: 7, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_masq_attributes; flags: NF_NAT_RANGE_* (linux/netfilter/nf_nat.h; 16 fully random). */
export const masq = {
  flags: { id: 1, kind: 'u32be' },
  regProtoMin: { id: 2, kind: 'u32be' },
  regProtoMax: { id: 3, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_redir_attributes */
export const redir = {
  regProtoMin: { id: 1, kind: 'u32be' },
  regProtoMax: { id: 2, kind: 'u32be' },
  flags: { id: 3, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_fib_attributes; result: 3 address type; flags: 1 source, 2 destination address. */
export const fib = {
  dreg: { id: 1, kind: 'u32be' },
  result: { id: 2, kind: 'u32be' },
  flags: { id: 3, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_socket_attributes; key: enum nft_socket_keys (0 transparent, one byte). Ends the rule where the packet
 *  belongs to no socket of this machine. */
export const socket = {
  key: { id: 1, kind: 'u32be' },
  dreg: { id: 2, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_match_attributes: a match of xtables; `info` is the module's own structure of that revision. */
export const match = {
  name: { id: 1, kind: 'string' },
  revision: { id: 2, kind: 'u32be' },
  info: { id: 3, kind: 'bytes' },
} as const satisfies Attributes

/** enum nft_target_attributes: a target of xtables. */
export const target = {
  name: { id: 1, kind: 'string' },
  revision: { id: 2, kind: 'u32be' },
  info: { id: 3, kind: 'bytes' },
} as const satisfies Attributes

/** enum nft_notrack: no attributes. */
export const notrack = {} as const satisfies Attributes

/** Not the kernel's: an expression that is in none of these tables, as it was read. It keeps a foreign rule
 *  from looking like one of ours, and is never written. */
export const unknown = {
  name: { id: 1, kind: 'string' },
  bytes: { id: 2, kind: 'bytes' },
} as const satisfies Attributes

/** Every expression that our programs use, by the name that the kernel gives it (NFTA_EXPR_NAME). */
export const expressions = {
  immediate,
  bitwise,
  cmp,
  range,
  lookup,
  dynset,
  payload,
  meta,
  ct,
  numgen,
  hash,
  counter,
  reject,
  nat,
  masq,
  redir,
  fib,
  socket,
  match,
  target,
  notrack,
  unknown,
} as const

/** One expression of a rule: the kernel's name for it and its attributes. */
export type Expression = {
  [N in keyof typeof expressions]: {
    readonly name: N
    readonly data: Decoded<(typeof expressions)[N]>
  }
}[keyof typeof expressions]
