import type { Prefix } from '../../net/prefix.ts'
import type { Protocol } from '../../net/protocol.ts'

/** One rule of an iptables chain, as data: both the text of iptables-restore and the kernel's expressions
 *  are made of it. What is absent is not looked at. */
export interface Rule {
  readonly source?: Negatable<Prefix>
  readonly destination?: Negatable<Prefix>
  readonly input?: Negatable<string>
  readonly protocol?: Protocol
  /** Destination port; only with a protocol. */
  readonly port?: number | PortRange
  readonly matches?: readonly Match[]
  /** For people; at most 255 bytes. */
  readonly comment?: string
  readonly target: Target
}

/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** A value to be equal to, or with `isNegated` not to be equal to. */
export interface Negatable<T> {
  readonly value: T
  readonly isNegated?: true
}

/** A match module with its options. */
export type Match =
  /** The address is one of this node's (fib type local, loopback included). */
  | { readonly kind: 'addrtype'; readonly side: 'src' | 'dst' }
  | { readonly kind: 'conntrack'; readonly states: readonly ConnectionState[] }
  /** All bits of `mask` are set; negated: one of them is not. */
  | { readonly kind: 'mark'; readonly mask: number; readonly isNegated?: true }
  /** Holds for `share` of 2^31 packets. */
  | { readonly kind: 'statistic'; readonly share: number }
  /** The source is in the list and was put there at most `seconds` ago. */
  | { readonly kind: 'recent-check'; readonly list: string; readonly seconds: number }
  /** Puts the source into the list; always holds. */
  | { readonly kind: 'recent-set'; readonly list: string }
  /** A classic BPF program over the packet from its network header on; decimal, as iptables writes it. */
  | { readonly kind: 'bpf'; readonly program: string }

/** States of `-m conntrack --ctstate`. */
export type ConnectionState = 'NEW' | 'RELATED' | 'ESTABLISHED' | 'INVALID' | 'DNAT'

/** What a rule does with a packet that all of its matches hold for. */
export type Target =
  | { readonly kind: 'jump'; readonly chain: string }
  | { readonly kind: 'accept' | 'drop' | 'return' | 'masquerade' }
  | { readonly kind: 'reject'; readonly answer: 'unreachable' | 'reset' }
  | { readonly kind: 'dnat'; readonly address: string; readonly port: number }
  /** Clears the bits of `clear`, then flips those of `flip`. */
  | { readonly kind: 'mark'; readonly flip: number; readonly clear: number }

/** Tables that hold something of ours. */
export type TableName = 'filter' | 'nat'

/** Both tables in the order in which changes are written: what nobody translates any more must already be
 *  refused. */
export const tableNames: readonly TableName[] = ['filter', 'nat']

/** A chain of ours with all that is in it. */
export interface FilledChain {
  readonly table: TableName
  readonly name: string
  readonly rules: readonly Rule[]
}

/** A rule of ours in a built-in chain. */
export interface HookRule {
  readonly table: TableName
  readonly chain: string
  readonly rule: Rule
}
