import type { Protocol } from '../../net/protocol.ts'

/** What has met one frontend. A node port has one for each address of the node. */
export interface FrontendCounters {
  readonly protocol: Protocol
  /** Canonical. */
  readonly address: string
  readonly port: number
  readonly connections: bigint
  /** Packets and bytes from clients. */
  readonly packets: bigint
  readonly bytes: bigint
}
