import type { Benchmark, Row } from '../support/benchmark.ts'
import type { GeneratedProtocol } from '../support/generate-cluster.ts'
import { runInOwnNamespace } from '../support/own-namespace.ts'
import { withPeerCluster } from '../sync/with-peer-cluster.ts'
import type { FirstPacketOrder } from './measure-first-packet.ts'

const protocols: readonly GeneratedProtocol[] = ['TCP', 'UDP']

/** How long a TCP connection takes to be set up, and a datagram to arrive, by the place of its service among all. */
export const firstPacketBenchmark: Benchmark = {
  name: 'first-packet',
  summary:
    'first packet to the first, middle and last service, TCP and UDP, beside a linear layout',
  async run(options, print, signal) {
    const { endpoints, mode, rounds, peerRules, only, peer: binary, kubeconfig } = options
    const rows: Row[] = []
    const measure = async (order: FirstPacketOrder): Promise<void> => {
      const file = new URL('./measure-first-packet.ts', import.meta.url)
      // The child prints rows of ours and nothing else.
      rows.push(...((await runInOwnNamespace(file, [JSON.stringify(order)], signal)) as Row[]))
    }
    for (const services of options.services) {
      for (const protocol of protocols) {
        if (only !== undefined && only !== protocol.toLowerCase()) continue
        print(`${services} services x ${endpoints} endpoints, ${protocol}, ${rounds} rounds`)
        const size = { services, endpoints, protocol }
        const order = { ...size, mode, rounds, peerRules, peer: undefined }
        if (binary === undefined || kubeconfig === undefined) await measure(order)
        else {
          await withPeerCluster(kubeconfig, size, print, (files) =>
            measure({ ...order, peer: { binary, ...files } }),
          )
        }
      }
    }
    return rows
  },
}
