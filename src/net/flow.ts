import type { Family } from './address.ts'
import type { Protocol } from './protocol.ts'

/** The first packet of a connection, as the node's kernel meets it. Addresses are canonical. */
export interface Flow {
  readonly family: Family
  readonly protocol: Protocol
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
  /** `received`: it came in through an interface (netfilter prerouting); `local`: a process of the
   *  node itself sent it (netfilter output). */
  readonly origin: 'received' | 'local'
  /** Name of the interface it came in through; undefined for local flows. */
  readonly inputInterface?: string
}
