import type { Benchmark, Row } from '../support/benchmark.ts'
import type { GeneratedProtocol } from '../support/generate-cluster.ts'
import { runInOwnNamespace } from '../support/own-namespace.ts'

const protocols: readonly GeneratedProtocol[] = ['TCP', 'UDP']

/** How long a TCP connection takes to be set up, and a datagram to arrive, by the place of its service among all. */
export const firstPacketBenchmark: Benchmark = {
  name: 'first-packet',
  summary:
    'first packet to the first, middle and last service, TCP and UDP, beside a linear layout',
  async run({ services: sizes, endpoints, mode, rounds, peerRules, only }, print, signal) {
    const rows: Row[] = []
    const orders = sizes.flatMap((services) =>
      protocols.map((protocol) => ({ mode, services, endpoints, protocol, rounds, peerRules })),
    )
    for (const each of orders) {
      if (only !== undefined && only !== each.protocol.toLowerCase()) continue
      print(
        `${each.services} services x ${endpoints} endpoints, ${each.protocol}, ${rounds} rounds`,
      )
      const order = JSON.stringify(each)
      const file = new URL('./measure-first-packet.ts', import.meta.url)
      // The child prints rows of ours and nothing else.
      rows.push(...((await runInOwnNamespace(file, [order], signal)) as Row[]))
    }
    return rows
  },
}
