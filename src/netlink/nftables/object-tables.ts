import type { Attributes } from '../attribute-kinds.ts'
import { data } from './expressions.ts'

/** enum nft_table_attributes; include/uapi/linux/netfilter/nf_tables.h, as all tables of this file. */
export const tableAttributes = {
  name: { id: 1, kind: 'string' },
  flags: { id: 2, kind: 'u32be' },
  use: { id: 3, kind: 'u32be' },
  handle: { id: 4, kind: 'u64be' },
  userData: { id: 6, kind: 'bytes' },
} as const satisfies Attributes

/** enum nft_hook_attributes; number: enum nf_inet_hooks. */
export const hookAttributes = {
  number: { id: 1, kind: 'u32be' },
  priority: { id: 2, kind: 's32be' },
} as const satisfies Attributes

/** enum nft_chain_attributes; policy: NF_DROP 0, NF_ACCEPT 1. */
export const chainAttributes = {
  table: { id: 1, kind: 'string' },
  handle: { id: 2, kind: 'u64be' },
  name: { id: 3, kind: 'string' },
  hook: { id: 4, kind: 'nest', nest: hookAttributes },
  policy: { id: 5, kind: 'u32be' },
  type: { id: 7, kind: 'string' },
  flags: { id: 10, kind: 'u32be' },
  userData: { id: 12, kind: 'bytes' },
} as const satisfies Attributes

/** enum nft_expr_attributes. `data` is a nest whose table depends on `name`. */
export const expressionAttributes = {
  name: { id: 1, kind: 'string' },
  data: { id: 2, kind: 'bytes' },
} as const satisfies Attributes

/** enum nft_rule_compat_attributes; flags: NFT_RULE_COMPAT_F_INV 2 negates the protocol. */
export const compatAttributes = {
  protocol: { id: 1, kind: 'u32be' },
  flags: { id: 2, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_rule_attributes */
export const ruleAttributes = {
  table: { id: 1, kind: 'string' },
  chain: { id: 2, kind: 'string' },
  handle: { id: 3, kind: 'u64be' },
  expressions: { id: 4, kind: 'list', element: 1, nest: expressionAttributes },
  compat: { id: 5, kind: 'nest', nest: compatAttributes },
  position: { id: 6, kind: 'u64be' },
  userData: { id: 7, kind: 'bytes' },
} as const satisfies Attributes

/** enum nft_set_field_attributes. NFTA_SET_FIELD_LEN counts bytes (the header says bits; the kernel
 *  compares with the key's length in bytes). */
export const fieldAttributes = {
  bytes: { id: 1, kind: 'u32be' },
} as const satisfies Attributes

/** enum nft_set_desc_attributes */
export const setDescription = {
  size: { id: 1, kind: 'u32be' },
  fields: { id: 2, kind: 'list', element: 1, nest: fieldAttributes },
} as const satisfies Attributes

/** enum nft_set_attributes; flags: enum nft_set_flags, see `setFlags`; timeout in milliseconds. */
export const setAttributes = {
  table: { id: 1, kind: 'string' },
  name: { id: 2, kind: 'string' },
  flags: { id: 3, kind: 'u32be' },
  keyType: { id: 4, kind: 'u32be' },
  keyBytes: { id: 5, kind: 'u32be' },
  dataType: { id: 6, kind: 'u32be' },
  dataBytes: { id: 7, kind: 'u32be' },
  policy: { id: 8, kind: 'u32be' },
  description: { id: 9, kind: 'nest', nest: setDescription },
  id: { id: 10, kind: 'u32be' },
  timeoutMs: { id: 11, kind: 'u64be' },
  gcIntervalMs: { id: 12, kind: 'u32be' },
  userData: { id: 13, kind: 'bytes' },
  handle: { id: 16, kind: 'u64be' },
  expression: { id: 17, kind: 'nest', nest: expressionAttributes },
} as const satisfies Attributes

/** enum nft_set_flags */
export const setFlags = {
  anonymous: 0x1,
  constant: 0x2,
  interval: 0x4,
  map: 0x8,
  timeout: 0x10,
  eval: 0x20,
  concat: 0x80,
} as const

/** enum nft_set_elem_attributes; flags: NFT_SET_ELEM_INTERVAL_END 1; times in milliseconds. */
export const elementAttributes = {
  key: { id: 1, kind: 'nest', nest: data },
  data: { id: 2, kind: 'nest', nest: data },
  flags: { id: 3, kind: 'u32be' },
  timeoutMs: { id: 4, kind: 'u64be' },
  expiresInMs: { id: 5, kind: 'u64be' },
  userData: { id: 6, kind: 'bytes' },
  expression: { id: 7, kind: 'nest', nest: expressionAttributes },
  keyEnd: { id: 10, kind: 'nest', nest: data },
} as const satisfies Attributes

/** enum nft_set_elem_list_attributes */
export const elementListAttributes = {
  table: { id: 1, kind: 'string' },
  set: { id: 2, kind: 'string' },
  elements: { id: 3, kind: 'list', element: 1, nest: elementAttributes },
} as const satisfies Attributes

/** enum nft_gen_attributes: a commit, and the process that made it. */
export const generationAttributes = {
  id: { id: 1, kind: 'u32be' },
  processId: { id: 2, kind: 'u32be' },
  processName: { id: 3, kind: 'string' },
} as const satisfies Attributes

/** enum nfnl_batch_attributes; linux/netfilter/nfnetlink.h */
export const batchAttributes = {
  generation: { id: 1, kind: 'u32be' },
} as const satisfies Attributes
