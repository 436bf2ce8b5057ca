import process from 'node:process'
import type { MessagePort } from 'node:worker_threads'
import { systemClock } from '../../kube/clock.ts'
import { createLogger } from '../../observe/logger.ts'
import { recheckCorefile } from '../corefile/check-corefile.ts'
import { ThreadEngine } from '../server/thread-engine.ts'
import { PostedSource } from './posted-source.ts'
import type {
  CallMessage,
  FromWorker,
  ToWorker,
  WorkerCalls,
  WorkerSetup,
} from './worker-messages.ts'

/** What a worker brings along itself. */
export interface WorkerParts {
  readonly port: MessagePort
  readonly setup: WorkerSetup
  /** Addresses of this machine that clients reach it at, canonical. */
  readonly localAddresses: () => readonly string[]
  /** A Corefile has come into force, the first one or another. */
  readonly taken: (isFirst: boolean) => void
}

/** Answers in this thread what the main thread's Corefile says, until it is told to close. */
export function runWorker({ port, setup, localAddresses, taken }: WorkerParts): void {
  const post = (message: FromWorker): void => port.postMessage(message)
  const source = new PostedSource(post)
  const logger = createLogger({ format: 'json', level: setup.logLevel }, (line) =>
    post({ kind: 'log', line }),
  )
  const { randomizesCase } = setup
  const engine = new ThreadEngine({
    source,
    logger,
    localAddresses,
    randomizesCase,
    clock: systemClock,
    isShared: true,
  })
  engine.failed.catch((error: unknown) => post({ kind: 'failed', reason: reasonOf(error) }))
  // Its descriptors are the process', and do not go with the thread: clients would still be led to them.
  process.once('exit', () => engine.closeAtOnce())
  let isFirst = true
  const calls: WorkerCalls = {
    async take(text) {
      const labels = await engine.take(recheckCorefile(text))
      taken(isFirst)
      isFirst = false
      return labels
    },
    metrics: () => engine.metrics(),
    waiting: () => engine.waiting(),
    explain: (query) => engine.explain(query),
  }
  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'call':
        answer(message, calls, post)
        break
      case 'objects':
        source.deliver(message.events)
        break
      case 'close':
        void engine.close().finally(() => port.close())
        break
    }
  })
}

function answer(
  message: CallMessage,
  calls: WorkerCalls,
  post: (message: FromWorker) => void,
): void {
  const { call } = message
  perform(message, calls).then(
    (value) => post({ kind: 'returned', call, value }),
    (error: unknown) => post({ kind: 'refused', call, reason: reasonOf(error) }),
  )
}

function perform(message: CallMessage, calls: WorkerCalls): Promise<unknown> {
  switch (message.name) {
    case 'take':
      return calls.take(message.argument)
    case 'metrics':
      return calls.metrics(message.argument)
    case 'waiting':
      return calls.waiting(message.argument)
    case 'explain':
      return calls.explain(message.argument)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
