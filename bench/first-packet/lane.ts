import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { NetworkNamespace } from '../support/network-namespace.ts'
import { socketAddress } from './sockets.ts'
import type { Transport } from './transport.ts'

/** A service that flows are opened to. */
export interface Destination {
  readonly address: string
  readonly port: number
}

/** A client, a node with rules, and a server that answers at every address: three network namespaces in a
 *  row. Everything in them ends with `close` or with the process. */
export class Lane {
  readonly #transport: Transport
  readonly #client: NetworkNamespace
  readonly #node: NetworkNamespace
  readonly #server: NetworkNamespace
  readonly #listeners: number[] = []

  private constructor(
    transport: Transport,
    ends: Readonly<Record<'client' | 'node' | 'server', NetworkNamespace>>,
  ) {
    this.#transport = transport
    this.#client = ends.client
    this.#node = ends.node
    this.#server = ends.server
  }

  /** Makes the namespaces with a listener at each of these ports. Needs root and `ip`. */
  static async open(transport: Transport, ports: Iterable<number>): Promise<Lane> {
    const [client, node, server] = [create(), create(), create()]
    const lane = new Lane(transport, { client, node, server })
    await node.run(() => {
      ip(
        `link add client type veth peer name node netns ${client.path}`,
        `link add server type veth peer name node netns ${server.path}`,
        ...['address add 169.254.1.1/30 dev client', 'address add 169.254.2.1/30 dev server'],
        ...['link set lo up', 'link set client up', 'link set server up'],
        'route add default via 169.254.2.2',
      )
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
    })
    await client.run(() =>
      ip(
        ...['address add 169.254.1.2/30 dev node', 'link set lo up', 'link set node up'],
        'route add default via 169.254.1.1',
      ),
    )
    await server.run(() => {
      // Local: every address but the way back.
      ip(
        ...['address add 169.254.2.2/30 dev node', 'link set lo up', 'link set node up'],
        'route add 169.254.1.0/30 via 169.254.2.1',
        ...['route add local 0.0.0.0/1 dev lo', 'route add local 128.0.0.0/3 dev lo'],
        'route add local 192.0.0.0/3 dev lo',
      )
      for (const port of ports) lane.#listeners.push(transport.listen(port))
    })
    return lane
  }

  /** Runs `body` where the rules belong. */
  onNode<T>(body: () => Promise<T> | T): Promise<T> {
    return this.#node.run(body)
  }

  /** Sends the first packet of a flow to each destination in turn, `rounds` times; gives microseconds by destination. Throws when
   *  one does not answer. */
  async reach(destinations: readonly Destination[], rounds: number): Promise<number[][]> {
    const addresses = destinations.map(({ address, port }) => socketAddress(address, port))
    const times: number[][] = destinations.map(() => [])
    await this.#client.run(() => {
      for (let round = 0; round < rounds; round++) {
        for (let turn = 0; turn < addresses.length; turn++) {
          // Each begins a round as often as the others.
          const index = (round + turn) % addresses.length
          times[index]?.push(this.#reachOnce(addresses[index], destinations[index]))
        }
      }
    })
    return times
  }

  close(): void {
    for (const each of [this.#client, this.#node, this.#server]) each.close()
  }

  #reachOnce(address: Uint8Array | undefined, destination: Destination | undefined): number {
    const took = address === undefined ? undefined : this.#transport.reach(address, this.#listeners)
    for (const listener of this.#listeners) this.#transport.drain(listener)
    if (took !== undefined) return took
    throw new Error(
      `first-packet: ${destination?.address}:${destination?.port} does not answer through these rules`,
    )
  }
}

function create(): NetworkNamespace {
  return NetworkNamespace.create()
}

/** Runs commands of `ip`, in the namespace of this thread. */
function ip(...lines: readonly string[]): void {
  execFileSync('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n`, encoding: 'utf8' })
}
