import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type Corefile, checkCorefile } from '../../../src/dns/corefile/check-corefile.ts'
import type { AnswerEngine } from '../../../src/dns/server/answer-engine.ts'
import { serveDns } from '../../../src/dns/server/serve-dns.ts'
import { ThreadEngine, type ThreadParts } from '../../../src/dns/server/thread-engine.ts'
import { systemClock } from '../../../src/kube/clock.ts'
import type { ClusterSource } from '../../../src/kube/store.ts'
import { createLogger } from '../../../src/observe/logger.ts'

/** A server in this process. */
export interface RunningServer {
  /** Puts another Corefile into force; resolves when it was taken or refused. */
  change(text: string): Promise<void>
  /** Lines of the log: errors only. */
  readonly errors: readonly string[]
  end(): Promise<void>
}

/** Where no cluster is. */
const noCluster: ClusterSource = {
  async watch(_kind, _selection, sink, signal) {
    sink.replace([])
    if (!signal.aborted) await once(signal, 'abort')
  },
}

/** Serves a Corefile until `end`; rejects when it cannot. */
export async function startServer(
  text: string,
  parts: Partial<ThreadParts> & { readonly engine?: AnswerEngine } = {},
): Promise<RunningServer> {
  const abort = new AbortController()
  const errors: string[] = []
  let current = text
  let reload = (): void => {}
  let taken = Promise.withResolvers<void>()
  const logger = createLogger({ format: 'json', level: 'error' }, (line) => {
    errors.push(line)
    taken.resolve()
  })
  const serving = serveDns(
    {
      readCorefile: () => parseCorefile(current),
      logger,
      onReload: (callback) => {
        reload = callback
      },
      listening: () => taken.resolve(),
    },
    parts.engine ??
      new ThreadEngine({
        source: noCluster,
        logger,
        localAddresses: () => ['127.0.0.1'],
        randomizesCase: false,
        clock: systemClock,
        isShared: false,
        ...parts,
      }),
    abort.signal,
  )
  await Promise.race([taken.promise, serving])
  return {
    errors,
    async change(next) {
      current = next
      taken = Promise.withResolvers()
      reload()
      await taken.promise
    },
    end() {
      abort.abort()
      return serving
    },
  }
}

/** Checks the text of a Corefile. */
export function parseCorefile(text: string): Corefile {
  const surroundings = { environment: {}, importFiles: () => undefined, defaultPort: 53 }
  return checkCorefile('test', text, surroundings)
}

/** A port of 127.0.0.1 that is free for UDP and TCP. */
export async function freePort(): Promise<number> {
  for (;;) {
    const probe = createServer()
    probe.listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const address = probe.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const udp = createSocket('udp4')
    const isFree = await new Promise<boolean>((resolve) => {
      udp.once('error', () => resolve(false))
      udp.bind(port, '127.0.0.1', () => resolve(true))
    })
    probe.close()
    udp.close()
    if (isFree) return port
  }
}
