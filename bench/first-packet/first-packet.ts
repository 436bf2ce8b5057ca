import type { Benchmark, Row } from '../support/benchmark.ts'
import { runInOwnNamespace } from '../support/own-namespace.ts'

/** How long a TCP connection takes to be set up, by the place of its service among all. */
export const firstPacketBenchmark: Benchmark = {
  name: 'first-packet',
  summary: 'connection set-up to the first, middle and last service, beside a linear layout',
  async run({ services: sizes, endpoints, mode, rounds, peerRules }, print, signal) {
    const rows: Row[] = []
    for (const services of sizes) {
      print(`${services} services x ${endpoints} endpoints, ${rounds} rounds`)
      const order = JSON.stringify({ mode, services, endpoints, rounds, peerRules })
      const file = new URL('./measure-first-packet.ts', import.meta.url)
      // The child prints rows of ours and nothing else.
      rows.push(...((await runInOwnNamespace(file, [order], signal)) as Row[]))
    }
    return rows
  },
}
