import type { ByteString } from '../../net/byte-string.ts'
import type {
  Chain,
  Rule,
  SetDefinition,
  SetElement,
  Table,
} from '../../netlink/nftables/objects.ts'

/** A whole nf_tables program of ours, as compiled or as read from the kernel. */
export interface ProgramView {
  readonly tables: readonly TableView[]
}

/** One table. `rules` are those of all chains; those of one chain stand in order of evaluation. */
export interface TableView {
  readonly table: Table
  readonly chains: readonly Chain[]
  readonly rules: readonly Rule[]
  readonly sets: readonly SetDefinition[]
  /** By set name; a set without an entry is empty. */
  readonly elements: ReadonlyMap<string, ElementLookup>
}

/** What a matching element holds: `value` in maps, `verdict` in verdict maps, neither in sets. */
export type ElementHit = Pick<SetElement, 'value' | 'verdict' | 'comment'>

/** The elements of one set. For interval sets `get` answers for the interval that contains the key. */
export interface ElementLookup {
  get(key: ByteString): ElementHit | undefined
}
