import type { Chain, Rule, SetDefinition, Table } from '../netlink/nftables/objects.ts'

/** A chain with its rules, in order. */
export interface FilledChain {
  readonly chain: Chain
  readonly rules: readonly Rule[]
}

/** Everything of one table but the elements of its sets. */
export interface TableStructure {
  readonly table: Table
  readonly sets: readonly SetDefinition[]
  readonly chains: readonly FilledChain[]
}
