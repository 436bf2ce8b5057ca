import { type Family, familyOf } from '../../net/address.ts'
import type { ConntrackConnection } from '../../netlink/conntrack.ts'
import type { DatagramSocket } from '../../reactor/datagram.ts'
import type { Listener, Reactor } from '../../reactor/reactor.ts'
import type { SocketAddress } from '../../reactor/socket-address.ts'
import type { StreamHandler } from '../../reactor/stream-handler.ts'
import type { Backend, Frontend, PlanChange, SourceClass } from '../plan/plan.ts'
import { frontendKey } from '../plan/plan.ts'
import { RelayTable, type RelayTarget } from '../relay/relay-table.ts'
import { Relays, type RelaysOptions } from '../relay/relays.ts'
import type { RelayedProtocol, RelayPorts } from './relay-ports.ts'
import { trackedDestination } from './tracked-destination.ts'

/** What the relays of a node work with. */
export interface NodeRelaysOptions extends RelaysOptions {
  /** Where clients wanted to go, of flows that the table has led to us. */
  readonly conntrack: Pick<ConntrackConnection, 'findByReply'>
}

interface FamilyRelays extends RelayPorts {
  readonly closables: readonly (Listener | DatagramSocket)[]
}

/** The relays of this node: a listener for each family, protocol and class of senders, and what comes to them.
 *  They live in this process and end with it. */
export class NodeRelays {
  readonly #relays: Relays
  readonly #options: NodeRelaysOptions
  readonly #table = new RelayTable()
  readonly #families = new Map<Family, FamilyRelays>()

  constructor(options: NodeRelaysOptions) {
    this.#options = options
    this.#relays = new Relays(options)
  }

  /** What moves the bytes. */
  get reactor(): Reactor {
    return this.#relays.reactor
  }

  /** Where a family's relays listen; undefined: nowhere yet. */
  ports(family: Family): RelayPorts | undefined {
    return this.#families.get(family)
  }

  /** Listens on an address of this node, on ports that the kernel chooses, instead of where it did before. */
  async listen(family: Family, address: string): Promise<void> {
    if (this.#families.get(family)?.address === address) return
    this.ignore(family)
    const closables: (Listener | DatagramSocket)[] = []
    const open = async (protocol: RelayedProtocol, source: SourceClass): Promise<number> => {
      const local = { address, port: 0 }
      const opened =
        protocol === 'TCP'
          ? await this.reactor.listen(local, { startsPaused: true }, this.#acceptStreams(source))
          : await this.#openDatagram(local, source)
      closables.push(opened)
      return opened.address.port
    }
    const portsOf = async (protocol: RelayedProtocol) => ({
      pod: await open(protocol, 'pod'),
      node: await open(protocol, 'node'),
      outside: await open(protocol, 'outside'),
    })
    try {
      const ports = { TCP: await portsOf('TCP'), UDP: await portsOf('UDP') }
      const keepsClients = this.#options.relay.source === 'client'
      this.#families.set(family, { address, ports, closables, keepsClients })
    } catch (error) {
      for (const closable of closables) closable.close()
      throw error
    }
  }

  /** Listens no more for a family; what is relayed goes on. */
  ignore(family: Family): void {
    for (const closable of this.#families.get(family)?.closables ?? []) closable.close()
    this.#families.delete(family)
  }

  /** Takes over changed services. */
  update(changes: readonly Pick<PlanChange, 'before' | 'after'>[]): void {
    this.#table.update(changes)
    const keys = new Set<string>()
    const pools = new Set<string>()
    for (const { before, after } of changes) {
      for (const frontend of before?.frontends ?? []) keys.add(frontendKey(frontend))
      for (const { key } of before?.pools ?? []) pools.add(key)
      for (const { key } of after?.pools ?? []) pools.delete(key)
    }
    for (const pool of pools) this.#relays.picker.affinity.forget(pool)
    for (const key of keys) {
      const frontend = this.#table.frontend(key)
      this.#relays.tcp.endpointsChanged(key, backendsOf(frontend))
      this.#relays.udp.endpointsChanged(key, frontend?.servingAddresses ?? [])
    }
  }

  /** Takes no new flows; resolves when the connections under way have ended, or with the signal. */
  async drained(signal: AbortSignal): Promise<void> {
    for (const family of [...this.#families.keys()]) this.ignore(family)
    await this.#relays.drained(signal)
  }

  /** Ends everything, connections under way with it. */
  close(): void {
    this.#relays.close()
  }

  #acceptStreams(source: SourceClass): StreamHandler {
    return this.#relays.tcp.accept((connection) => {
      const asked = this.reactor.originalDestination(connection)
      const [client, local] = [
        this.reactor.peerAddress(connection),
        this.reactor.localAddress(connection),
      ]
      if (client === undefined || local === undefined) return undefined
      const destination = asked ?? trackedDestination(this.#options.conntrack, 'TCP', client, local)
      return this.#target(source, 'TCP', destination)
    })
  }

  #openDatagram(local: SocketAddress, source: SourceClass): Promise<DatagramSocket> {
    // Known when the first datagram comes.
    let bound = local
    const handler = this.#relays.udp.accept((client) =>
      this.#target(
        source,
        'UDP',
        trackedDestination(this.#options.conntrack, 'UDP', client, bound),
      ),
    )
    return this.reactor.openDatagram({ address: local }, handler).then((socket) => {
      bound = socket.address
      return socket
    })
  }

  #target(
    source: SourceClass,
    protocol: RelayedProtocol,
    destination: SocketAddress | undefined,
  ): RelayTarget | undefined {
    if (destination === undefined) return undefined
    const { address, port } = destination
    return this.#table.find({ source, family: familyOf(address), protocol, address, port })
  }
}

/** Everything that new flows of a frontend can get, whoever sends them. */
function backendsOf(frontend: Frontend | undefined): readonly Backend[] {
  return Object.values(frontend?.actions ?? {}).flatMap((action) =>
    action.kind === 'balance' ? action.pool.backends : [],
  )
}
