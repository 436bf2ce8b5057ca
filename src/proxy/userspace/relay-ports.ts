import type { SourceClass } from '../plan/plan.ts'

/** Protocols that user space relays. */
export type RelayedProtocol = 'TCP' | 'UDP'

/** Where the relays of one family listen: one port for each protocol and each class of senders, so that a relay
 *  knows who sends by where it is asked. */
export interface RelayPorts {
  /** Canonical; one of this node's own. */
  readonly address: string
  readonly ports: Readonly<Record<RelayedProtocol, Readonly<Record<SourceClass, number>>>>
  /** Relays use the addresses of their clients towards endpoints. */
  readonly keepsClients: boolean
}

/** All relayed protocols. */
export const relayedProtocols: readonly RelayedProtocol[] = ['TCP', 'UDP']
