import { encodeProxyHeader } from '../../proxy-protocol/encode-proxy-header.ts'
import type { ConnectionId } from '../../reactor/connection-id.ts'
import type { Reactor } from '../../reactor/reactor.ts'
import { Relay } from '../../reactor/relay.ts'
import type { SocketAddress } from '../../reactor/socket-address.ts'
import type { StreamHandler } from '../../reactor/stream-handler.ts'
import type { Backend } from '../plan/plan.ts'
import type { EndpointPicker } from './endpoint-picker.ts'
import { FlowIndex } from './flow-index.ts'
import { keptClient } from './kept-client.ts'
import type { RelayOptions } from './relay-options.ts'
import type { RelayTarget } from './relay-table.ts'

/** A client whose endpoint is being connected to. */
interface Dial {
  readonly client: ConnectionId
  readonly from: SocketAddress
  readonly target: RelayTarget
  readonly tried: Backend[]
  server: ConnectionId
}

/** Connects clients of services to endpoints. A client's bytes wait in the kernel until its endpoint is
 *  reached; one that cannot be reached costs the client time, not its connection, while others are left to
 *  try. */
export class TcpRelay {
  readonly #reactor: Reactor
  readonly #picker: EndpointPicker
  readonly #options: RelayOptions
  readonly #relay: Relay
  readonly #byClient = new Map<ConnectionId, Dial>()
  readonly #byServer = new Map<ConnectionId, Dial>()
  /** Joined clients, by frontend. */
  readonly #flows = new FlowIndex<ConnectionId>()
  readonly #ended: () => void

  /** `ended`: called after each connection of a client that has closed. */
  constructor(
    reactor: Reactor,
    picker: EndpointPicker,
    options: RelayOptions,
    ended: () => void = () => {},
  ) {
    this.#reactor = reactor
    this.#picker = picker
    this.#options = options
    this.#ended = ended
    this.#relay = new Relay(reactor, (client) => {
      this.#flows.remove(client)
      ended()
    })
  }

  /** The handler of a listener whose connections start paused. `route` says where a connection goes;
   *  undefined: it is reset. */
  accept(route: (connection: ConnectionId) => RelayTarget | undefined): StreamHandler {
    return {
      onOpen: (client) => {
        const target = route(client)
        const from = this.#reactor.peerAddress(client)
        if (target === undefined || from === undefined) {
          this.#reactor.reset(client)
          return
        }
        const dial = { client, from, target, tried: [], server: -1 }
        this.#byClient.set(client, dial)
        this.#dial(dial)
      },
      onData: () => {},
      onEnd: () => {},
      onDrain: () => {},
      onTimeout: () => {},
      onClose: (client) => {
        const dial = this.#byClient.get(client)
        if (dial !== undefined) {
          this.#byClient.delete(client)
          this.#byServer.delete(dial.server)
          this.#reactor.reset(dial.server)
        }
        this.#ended()
      },
    }
  }

  /** Resets connections of a frontend to endpoints that it does not have any more, where that is asked for. */
  endpointsChanged(frontend: string, endpoints: readonly Backend[]): void {
    if (this.#options.drain === 'continue') return
    const left = new Set(endpoints.map(endpointKey))
    for (const client of this.#flows.leaving(frontend, (endpoint) => left.has(endpoint))) {
      this.#reactor.reset(client)
    }
  }

  #dial(dial: Dial): void {
    const { target, tried, from } = dial
    if (this.#reactor.counts.connections >= this.#reactor.limits.connections) {
      this.#byClient.delete(dial.client)
      this.#reactor.reset(dial.client)
      return
    }
    const backend = this.#picker.pick(target.pool, from.address, tried)
    const timeoutMs = this.#options.dialTimeoutsMs[tried.length] ?? 0
    tried.push(backend)
    const source = keptClient(this.#options, target, from.address, backend)
    dial.server = this.#reactor.connect(
      backend,
      { timeoutMs, ...(source === undefined ? {} : { source, isTransparent: true }) },
      this.#dialing,
    )
    this.#byServer.set(dial.server, dial)
  }

  /** Tells the endpoint of its client, before the first byte of that. */
  #introduce({ client, server, from, target }: Dial): void {
    const { proxyProtocol } = this.#options
    const destination = target.asked ?? this.#reactor.localAddress(client)
    if (proxyProtocol === undefined || destination === undefined) return
    const header = encodeProxyHeader(proxyProtocol, { source: from, destination })
    this.#reactor.write(server, header, 0, header.length)
  }

  readonly #dialing: StreamHandler = {
    onOpen: (server) => {
      const dial = this.#byServer.get(server)
      if (dial === undefined) {
        this.#reactor.reset(server)
        return
      }
      const { client, target, tried } = dial
      this.#byServer.delete(server)
      this.#byClient.delete(client)
      const endpoint = tried.at(-1)
      if (this.#options.drain === 'reset' && endpoint !== undefined) {
        this.#flows.add(client, target.frontend, endpointKey(endpoint))
      }
      this.#introduce(dial)
      this.#relay.join(client, server, this.#options.idleTimeoutMs)
    },
    onData: () => {},
    onEnd: () => {},
    onDrain: () => {},
    onTimeout: () => {},
    onClose: (server) => {
      const dial = this.#byServer.get(server)
      if (dial === undefined) return
      this.#byServer.delete(server)
      if (dial.tried.length < this.#options.dialTimeoutsMs.length) {
        this.#dial(dial)
        return
      }
      this.#byClient.delete(dial.client)
      this.#reactor.reset(dial.client)
    },
  }
}

function endpointKey({ address, port }: Backend): string {
  return `${address} ${port}`
}
