import type { ByteString } from '../../net/byte-string.ts'
import type { Expression } from './expressions.ts'

/** Families that tables of ours have: NFPROTO_IPV4 (2) and NFPROTO_IPV6 (10). */
export type TableFamily = 'ip' | 'ip6'

/** A table; the kernel deletes everything in it with it. */
export interface Table {
  readonly family: TableFamily
  readonly name: string
  readonly comment?: string
  /** The kernel deletes the table when the socket that made it is closed (NFT_TABLE_F_OWNER, Linux 5.12);
   *  only written. */
  readonly endsWithSocket?: boolean
}

/** The hook of a base chain. Priorities as in nft(8): dstnat -100, srcnat 100. */
export interface Hook {
  readonly type: 'nat' | 'filter' | 'route'
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
  readonly priority: number
}

/** A chain. */
export interface Chain {
  readonly name: string
  readonly hook?: Hook
  readonly comment?: string
}

/** A rule: expressions in order of evaluation. `handle` is the kernel's, present in what was read. */
export interface Rule {
  readonly chain: string
  readonly expressions: readonly Expression[]
  /** The same, encoded already by `encodeExpressions`; `expressions` is empty then. Only written. */
  readonly encodedExpressions?: Uint8Array
  readonly comment?: string
  /** Protocol that matches and targets of xtables are checked against; rules with them must have it, 0 for
   *  any protocol. The kernel does not give it back. */
  readonly compatProtocol?: number
  readonly handle?: bigint
}

/** A set or map. Types are nft's numbers (concatenations: 6 bits a field); lengths in bytes. */
export interface SetDefinition {
  readonly name: string
  readonly keyType: number
  readonly keyBytes: number
  /** Byte lengths of the fields of a concatenation; one entry for a plain key. */
  readonly fieldBytes: readonly number[]
  /** Undefined: a set, not a map. `verdict` is NFT_DATA_VERDICT. */
  readonly data?: { readonly type: number; readonly bytes: number } | 'verdict'
  readonly isInterval: boolean
  /** Elements are written by packets and expire (NFT_SET_EVAL | NFT_SET_TIMEOUT). */
  readonly isDynamic: boolean
  /** Every element counts the packets that find it (NFTA_SET_EXPR with a counter); only written. */
  readonly isCounting?: boolean
  /** Upper bound of elements; undefined: none. */
  readonly maxElements?: number
  /** Raw NFTA_SET_USERDATA (typeof descriptions, comment), so that nft lists keys by name. */
  readonly userData?: Uint8Array
}

/** One element of a set or map. */
export interface SetElement {
  readonly key: ByteString
  /** Inclusive last key of an interval of a concatenated set (NFTA_SET_ELEM_KEY_END). */
  readonly keyEnd?: ByteString
  readonly value?: ByteString
  readonly verdict?: { readonly code: number; readonly chain?: string }
  /** NFT_SET_ELEM_INTERVAL_END: the element is the exclusive end of a plain interval. */
  readonly isIntervalEnd?: boolean
  readonly comment?: string
  /** Milliseconds, of dynamic elements. */
  readonly timeoutMs?: number
  readonly expiresInMs?: number
  /** Of elements of a counting set; only read. */
  readonly counted?: { readonly packets: bigint; readonly bytes: bigint }
}
