import type { Protocol } from '../../src/net/protocol.ts'
import type { RelayBed } from './relay-bed.ts'

/** A relay that is measured: one thread, all ports of `relay-ports.ts`. */
export interface RelaySubject {
  readonly name: string
  readonly relays: readonly Protocol[]
  /** Starts it; it may not listen yet. */
  start(bed: RelayBed): Promise<RunningRelay>
}

/** A relay that runs. */
export interface RunningRelay {
  readonly pid: number
  /** Leads new flows of the changing port to this port; resolves when that was asked for. */
  changeEndpoint(port: number): Promise<void>
  stop(): Promise<void>
}
