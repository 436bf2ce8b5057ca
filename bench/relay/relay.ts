import type { Benchmark, Row } from '../support/benchmark.ts'
import { runInOwnNamespace } from '../support/own-namespace.ts'

/** Our relay on each engine beside haproxy and nginx, on loopback. */
export const relayBenchmark: Benchmark = {
  name: 'relay',
  summary: 'requests, bytes, connections and datagrams relayed, beside haproxy and nginx stream',
  async run({ seconds, repeat, engine, only }, print, signal) {
    const order = JSON.stringify({ seconds, repeat, engine, only })
    const file = new URL('./measure-relay.ts', import.meta.url)
    // The child prints rows of ours and nothing else.
    return (await runInOwnNamespace(file, [order], signal, print)) as Row[]
  },
}
