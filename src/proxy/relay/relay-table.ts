import type { Family } from '../../net/address.ts'
import type { Protocol } from '../../net/protocol.ts'
import type { SocketAddress } from '../../reactor/socket-address.ts'
import { type Frontend, frontendKey, type Pool, type SourceClass } from '../plan/plan.ts'

/** Where a new flow goes. */
export interface RelayTarget {
  /** Its `frontendKey`. */
  readonly frontend: string
  readonly pool: Pool
  /** The plan lets endpoints see the client, unless it is its own endpoint. */
  readonly keepsClient?: boolean
  /** What the client asked for, where it knows no address of a relay. */
  readonly asked?: SocketAddress
}

/** What a client asked for. */
export interface AskedFlow {
  readonly source: SourceClass
  readonly family: Family
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
}

/** Services as a table provides them. */
interface FrontendOwner {
  readonly frontends: readonly Frontend[]
}

/** The frontends that relays look up. A change costs as much as the services that it touches. */
export class RelayTable {
  readonly #frontends = new Map<string, Frontend>()

  /** Takes over changed services, all removals first: a frontend can go from one service to another. */
  update(
    changes: Iterable<{
      readonly before: FrontendOwner | undefined
      readonly after: FrontendOwner | undefined
    }>,
  ): void {
    const list = [...changes]
    for (const { before } of list) {
      for (const frontend of before?.frontends ?? []) this.#frontends.delete(frontendKey(frontend))
    }
    for (const { after } of list) {
      for (const frontend of after?.frontends ?? []) {
        this.#frontends.set(frontendKey(frontend), frontend)
      }
    }
  }

  clear(): void {
    this.#frontends.clear()
  }

  /** The frontend of a key; undefined when no service has it. */
  frontend(key: string): Frontend | undefined {
    return this.#frontends.get(key)
  }

  /** The pool that serves a flow; undefined when nobody does. Whether a node port answers on the address was
   *  decided before. */
  find({ source, ...flow }: AskedFlow): RelayTarget | undefined {
    const frontend = this.asked(flow)
    const action = frontend?.actions[source]
    if (frontend === undefined || action?.kind !== 'balance') return undefined
    const { address, port } = flow
    // A process of the node has an address of the node anyway.
    const keepsClient = source !== 'node' && action.masquerade === 'hairpin'
    const asked = { address, port }
    return { frontend: frontendKey(frontend), pool: action.pool, keepsClient, asked }
  }

  /** The frontend that a flow is for: the one of the address, or else the node port. */
  asked({ family, protocol, address, port }: Omit<AskedFlow, 'source'>): Frontend | undefined {
    return (
      this.#frontends.get(frontendKey({ family, protocol, address, port })) ??
      this.#frontends.get(frontendKey({ family, protocol, address: undefined, port }))
    )
  }
}
