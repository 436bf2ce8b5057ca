import type { Family } from '../net/address.ts'
import type { Protocol } from '../net/protocol.ts'
import { formatBackend } from '../proxy/port/verdict.ts'

/** What flows a virtual server takes: those to an address and port, or those whose packets have a mark. */
export type VirtualServerKey =
  | {
      readonly kind: 'address'
      readonly family: Family
      readonly protocol: Protocol
      /** Canonical. */
      readonly address: string
      readonly port: number
    }
  | { readonly kind: 'mark'; readonly family: Family; readonly mark: number }

/** A virtual server without its destinations. */
export interface VirtualServer {
  readonly key: VirtualServerKey
  /** The kernel's name: rr, wrr, lc, wlc, lblc, lblcr, sh, dh, mh, sed, nq, ovf, fo, twos. */
  readonly scheduler: string
  /** Bits of `serviceFlags` without `hashed`. */
  readonly flags: number
  /** Persistence in seconds; counts only with the flag `persistent`. */
  readonly timeoutSeconds: number
}

/** Where a virtual server sends flows. Packets are always rewritten (NAT), as service ports and endpoint
 *  ports differ. */
export interface Destination {
  readonly address: string
  readonly port: number
  /** 0: no new flows; those that are open go on. */
  readonly weight: number
}

/** What the kernel counts for a destination. */
export interface DestinationState extends Destination {
  readonly activeConnections: number
  readonly inactiveConnections: number
  readonly persistentConnections: number
}

/** Counters of a virtual server since it was made. */
export interface ServerStatistics {
  readonly connections: bigint
  readonly inboundPackets: bigint
  readonly outboundPackets: bigint
  readonly inboundBytes: bigint
  readonly outboundBytes: bigint
}

/** `TCP 10.96.0.10:80`, `IPv4 mark 0x50000001`: for people, and unique. */
export function formatServerKey(key: VirtualServerKey): string {
  if (key.kind === 'mark') return `IPv${key.family} mark 0x${key.mark.toString(16)}`
  return `${key.protocol} ${formatBackend(key.address, key.port)}`
}

/** `10.1.0.4:8080`: unique within a virtual server. */
export function formatDestination({ address, port }: Destination): string {
  return formatBackend(address, port)
}
