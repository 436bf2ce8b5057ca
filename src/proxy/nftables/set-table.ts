import type { FamilyLayout } from './family-layout.ts'

/** One field of a key or of data, in nft's own words; what it is on the wire is in `table-sets.ts`. */
export type Field = 'daddr' | 'saddr' | 'l4proto' | 'dport' | 'mark' | 'slot'

/** A set or map of the table, before family and wire form. */
export interface SetRow {
  readonly name: string
  readonly key: readonly Field[]
  readonly data?: readonly Field[] | 'verdict'
  readonly form?: 'interval' | 'dynamic'
  readonly comment: string
}

const frontend: readonly Field[] = ['daddr', 'l4proto', 'dport']
const nodePort: readonly Field[] = ['l4proto', 'dport']
const pool: readonly Field[] = ['mark']
const backend: readonly Field[] = ['daddr', 'dport']

/** Everything that services are made of. The words masquerade, reject and drop are nft's own and cannot
 *  be names. */
export const setTable: readonly SetRow[] = [
  { name: 'frontends', key: frontend, data: pool, comment: 'service address to pool' },
  {
    name: 'short-cuts',
    key: frontend,
    data: pool,
    comment: 'the same for pods and node, looked up first',
  },
  { name: 'nodeports', key: nodePort, data: pool, comment: 'node port to pool' },
  {
    name: 'nodeport-short-cuts',
    key: nodePort,
    data: pool,
    comment: 'the same for pods and node, looked up first',
  },
  { name: 'pools', key: pool, data: pool, comment: 'pool to kind' },
  { name: 'kinds', key: pool, data: 'verdict', comment: 'kind to chain' },
  { name: 'short-cut-kinds', key: pool, data: 'verdict', comment: 'kind to chain' },
  { name: 'slots', key: ['mark', 'slot'], data: backend, comment: 'pool and slot to endpoint' },
  {
    name: 'sticky-slots',
    key: ['mark', 'slot'],
    data: pool,
    comment: 'pool and slot to endpoint number',
  },
  {
    name: 'endpoints',
    key: ['mark', 'mark'],
    data: backend,
    comment: 'pool and endpoint number to endpoint',
  },
  {
    name: 'affinity',
    key: ['mark', 'saddr'],
    data: pool,
    form: 'dynamic',
    comment: 'pool and client to endpoint number, written by packets',
  },
  { name: 'masquerade-all', key: frontend, comment: 'masqueraded for every source' },
  { name: 'masquerade-node', key: frontend, comment: 'masqueraded for the node itself' },
  { name: 'masquerade-nodeports', key: nodePort, comment: 'masqueraded for every source' },
  { name: 'masquerade-node-nodeports', key: nodePort, comment: 'masqueraded for the node itself' },
  { name: 'restricted', key: frontend, comment: 'only for source-ranges' },
  {
    name: 'source-ranges',
    key: [...frontend, 'saddr'],
    form: 'interval',
    comment: 'who may connect to restricted frontends',
  },
  { name: 'cluster-addresses', key: ['daddr'], comment: 'addresses of services in the cluster' },
  { name: 'nodeport-addresses', key: ['daddr'], comment: 'node ports answer here' },
  {
    name: 'hairpin',
    key: ['saddr', 'daddr', 'l4proto', 'dport'],
    comment: 'endpoints of this node that reach themselves',
  },
]

/** Upper bound of `affinity`, as for any set that packets write. */
export const affinityEntries = 1_048_576

/** Bytes of a field, without padding. */
export function fieldBytes(layout: FamilyLayout, field: Field): number {
  switch (field) {
    case 'daddr':
    case 'saddr':
      return layout.addressBytes
    case 'l4proto':
      return 1
    case 'dport':
      return 2
    case 'mark':
    case 'slot':
      return 4
  }
}

/** Bytes of a concatenation: every field fills whole 4-byte registers. */
export function concatenationBytes(layout: FamilyLayout, fields: readonly Field[]): number {
  return fields.reduce((sum, field) => sum + Math.ceil(fieldBytes(layout, field) / 4) * 4, 0)
}
