import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { runWorker } from '../dns/workers/run-worker.ts'
import type { WorkerSetup } from '../dns/workers/worker-messages.ts'
import { readLocalAddresses } from '../proxy/local-addresses.ts'
import { releaseMemory } from './process-memory.ts'

/** This module, which a worker of `portolan dns --workers` runs. */
export const dnsWorkerEntry = new URL(import.meta.url)

if (!isMainThread && parentPort !== null) {
  runWorker({
    port: parentPort,
    setup: workerData as WorkerSetup,
    localAddresses: readLocalAddresses,
    // Collecting blocks: later, queries would wait for it.
    taken: (isFirst) => {
      if (isFirst) releaseMemory()
    },
  })
}
