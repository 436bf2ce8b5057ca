import type { Benchmark } from '../support/benchmark.ts'

/** Bytes through user space: relays of ours beside haproxy and nginx. */
export const relayBenchmark: Benchmark = {
  name: 'relay',
  summary: 'TCP and UDP relays on each engine, beside haproxy and nginx where they are installed',
  async run(_options, print) {
    print(`relay process: ${new URL('./relay-process.ts', import.meta.url).pathname}`)
    return []
  },
}
