import type { Benchmark, Row } from '../support/benchmark.ts'
import { openMeasured } from '../support/open-measured.ts'
import { runInOwnNamespace } from '../support/own-namespace.ts'
import { measurePeer } from './measure-peer.ts'

/** From cluster state to kernel: how long until a change is acknowledged, at several sizes. */
export const syncBenchmark: Benchmark = {
  name: 'sync',
  summary: 'cold sync, restart and single changes, from decoded event to kernel acknowledgement',
  async run(options, print, signal) {
    const rows: Row[] = []
    // Most kernels have no IPVS: said before anything is measured, and without the child's trace.
    if (options.mode === 'ipvs') (await openMeasured(options.mode)).close()
    for (const services of options.services) {
      print(`portolan, ${services} services x ${options.endpoints} endpoints`)
      const figures = [services, options.endpoints, options.changes].map(String)
      const args = ['cold', options.mode, ...figures]
      const file = new URL('./measure-sync.ts', import.meta.url)
      // The child prints rows of ours and nothing else.
      rows.push(...((await runInOwnNamespace(file, args, signal)) as Row[]))
    }
    if (options.peer === undefined || options.kubeconfig === undefined) {
      print('no peer: --peer PATH --kubeconfig FILE puts a kube-proxy into this table')
      return rows
    }
    for (const services of options.services) {
      print(`peer, ${services} services x ${options.endpoints} endpoints`)
      const { peer, kubeconfig } = options
      rows.push(...(await measurePeer({ ...options, services, peer, kubeconfig }, print, signal)))
    }
    return rows
  },
}
