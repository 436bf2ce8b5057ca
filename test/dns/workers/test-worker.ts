import {
  BroadcastChannel,
  isMainThread,
  parentPort,
  threadId,
  workerData,
} from 'node:worker_threads'
import { runWorker } from '../../../src/dns/workers/run-worker.ts'
import type { WorkerSetup } from '../../../src/dns/workers/worker-messages.ts'

/** This module, which a worker of a test runs: it ends when the channel says its number. */
export const testWorkerEntry = new URL(import.meta.url)

/** What workers and tests say to each other: `crash` is for the thread with that number. */
export interface WorkerWord {
  readonly word: 'taken' | 'crash'
  readonly thread: number
}

/** Name of the channel. */
export const channelName = 'portolan dns test workers'

if (!isMainThread && parentPort !== null) {
  const channel = new BroadcastChannel(channelName)
  const say = (word: WorkerWord['word']): void => channel.postMessage({ word, thread: threadId })
  channel.onmessage = (event) => {
    const { word, thread } = (event as { readonly data: WorkerWord }).data
    if (word === 'crash' && thread === threadId) throw new Error('told to crash')
  }
  channel.unref()
  runWorker({
    port: parentPort,
    setup: workerData as WorkerSetup,
    localAddresses: () => ['127.0.0.1'],
    taken: () => say('taken'),
  })
}
